#include <doctest/doctest.h>

#include <vector>

#include <eigan/io/read_file.hpp>

#include "io/support.hpp"
#include "kit/score_log.hpp"

using kit::ScoreLog;

TEST_CASE("ScoreLog: the least of the last score is the best, also of steps that were given up") {
  ScoreLog log({{"high", "High", "h"}, {"distance", "Distance", "d", true}});
  CHECK(log.charts().empty());
  CHECK(log.is_best({0, 1e9}));
  log.add(1, 100, {5, 20});
  CHECK_FALSE(log.is_best({9, 20}));
  CHECK(log.is_best({1, 19}));
  log.keep_best(10);
  CHECK(log.best() == 10);
  log.add(3, 200, {6, 15});
  CHECK(log.best() == 10);
  CHECK(log.fault().empty());

  const auto charts = log.charts();
  REQUIRE(charts.size() == 2);
  CHECK((charts[1].log_y && !charts[0].log_y));
  CHECK(charts[1].series[0].x == std::vector<double>{1, 3});
  CHECK(charts[1].series[0].y == std::vector<double>{20, 15});

  const test::TemporaryFolder folder;
  log.write_csv(folder / "metrics.csv");
  CHECK(test::text_of(eigan::read_file(folder / "metrics.csv")) ==
        "epoch,samples,high,distance\n1,100,5,20\n3,200,6,15\n");
}

TEST_CASE("ScoreLog: columns of different lengths are found out") {
  ScoreLog log({{"distance", "Distance", "d"}});
  log.visit_state([](std::string_view name, auto& part) {
    if constexpr (requires { part.resize(1); })
      if (name == "distance") part.resize(1);
  });
  CHECK(log.fault() == "expected as many numbers in each column of the scores");
}
