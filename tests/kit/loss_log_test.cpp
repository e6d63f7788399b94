#include <doctest/doctest.h>

#include <vector>

#include <eigan/io/checkpoint.hpp>
#include <eigan/io/read_file.hpp>

#include "io/support.hpp"
#include "kit/loss_log.hpp"

using kit::LossLog;

namespace {

const kit::Columns columns{{.name = "loss", .label = "L", .chart = "Losses", .axis = "loss", .series = "all"},
                           {.name = "share", .chart = "Shares", .axis = "share", .series = "some"},
                           {.name = "other", .chart = "Losses", .axis = "loss", .series = "half"}};

LossLog log_of(int steps) {
  LossLog log(columns, 2, 3);
  for (int i = 0; i < steps; ++i) log.add(std::vector<double>{1.0 * i, 0.5, 10.0 - i});
  return log;
}

std::string csv_of(const LossLog& log) {
  const test::TemporaryFolder folder;
  log.write_csv(folder / "losses.csv");
  return test::text_of(eigan::read_file(folder / "losses.csv"));
}

}  // namespace

TEST_CASE("LossLog: a row holds the means of its steps and says where it ends") {
  const LossLog log = log_of(5);
  CHECK(csv_of(log) == "step,epoch,loss,share,other\n2,1,0.5,0.5,9.5\n4,2,2.5,0.5,7.5\n");
  CHECK(csv_of(log.closed()) == "step,epoch,loss,share,other\n2,1,0.5,0.5,9.5\n4,2,2.5,0.5,7.5\n5,2,4,0.5,6\n");
  CHECK(csv_of(log) != csv_of(log.closed()));  // which goes on by itself
}

TEST_CASE("LossLog: columns of one chart share it, in epochs") {
  const auto charts = log_of(4).charts();
  REQUIRE(charts.size() == 2);
  CHECK(charts[0].title == "Losses");
  REQUIRE(charts[0].series.size() == 2);
  CHECK(charts[0].series[1].name == "half");
  CHECK(charts[0].series[1].y == std::vector<double>{9.5, 7.5});
  CHECK(charts[0].series[0].x == std::vector<double>{2.0 / 3, 4.0 / 3});
  CHECK(charts[1].y_label == "share");
}

TEST_CASE("LossLog: a checkpoint takes it along in the middle of a row") {
  const test::TemporaryFolder folder;
  LossLog log = log_of(5), other(columns, 2, 3);
  eigan::save_checkpoint(folder / "log", [&](auto visit) { visit("log", log); });
  eigan::load_checkpoint(folder / "log", [&](auto visit) { visit("log", other); });
  CHECK(other.fault(5).empty());
  CHECK(other.fault(4) == "expected a log of 4 steps, found one of 5");
  for (LossLog* each : {&log, &other}) each->add(std::vector<double>{6, 7, 8});
  CHECK(csv_of(other) == csv_of(log));
}
