#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/io/read_file.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/losses/mse.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/optim/adam.hpp>
#include <eigan/optim/optimizer.hpp>

#include "io/support.hpp"
#include "kit/exit_code.hpp"
#include "kit/run.hpp"

using eigan::Index;
using test::contains;
using test::error_text;

namespace {

constexpr Index epochs = 3, steps_per_epoch = 4;

/// A program on the kit: one network, one loss. It ends after `most` steps of this process, as if it were killed.
struct Program {
  kit::RunOptions options;
  double rate = 0.01;
  Index most = 1000;
  Index poisoned = -1;  ///< the step in which a weight becomes NaN
  bool once = true;     ///< or each time it is taken

  eigan::Model<eigan::Sequential<eigan::Linear<2, 1>>> model{eigan::Rng(1)};
  double last_rate = 0;
  std::vector<Index> sheets{};

  explicit Program(const std::filesystem::path& out) {
    options.out = out;
    options.quiet = true;
    options.log_every = 3;
    options.checkpoint_every = {1, 0};
  }

  int train() {
    eigan::Adam adam(model.param_size(), {.lr = rate});
    auto tape = model.tape(1);
    auto gradient = model.zeros();
    kit::Run run(options, {.program = "test",
                           .plan = {epochs, steps_per_epoch, steps_per_epoch},
                           .columns = {{.name = "loss", .label = "L", .chart = "Loss", .axis = "l", .series = "all"}},
                           .files = {"model.safetensors"}});
    run.holds([&](auto visit) { visit("model", model), visit("adam", adam); });
    if (!run.begin({.decisions = kit::JsonObject().add("rate", rate), .banner = ""})) return -1;
    while (run.next()) {
      if (most-- == 0) return -2;
      last_rate = run.rate();
      adam.options().lr = rate * run.rate();
      const auto x = static_cast<float>(run.step());
      const eigan::Matrix<float> input{{x / 12}, {1 - x / 12}};
      const eigan::Matrix<float> target = eigan::Matrix<float>::Constant(1, 1, x);
      const auto output = model.forward(tape, input);
      const auto loss = eigan::mse<float>(output, target, tape.output_gradient());
      eigan::backward_and_step(model, tape, adam, gradient);
      if (run.step() == poisoned) {
        model.params()[1] = std::numeric_limits<float>::quiet_NaN();
        if (once) poisoned = -1;
      }
      if (!run.took({static_cast<double>(loss)})) continue;
      if (run.ends_epoch() && run.wants_sheet()) sheets.push_back(run.epochs());
    }
    run.close();
    kit::Report report = run.report("A test");
    CHECK(report.facts[1].second == "12");
    return run.end(kit::JsonObject().add("more", 1));
  }
};

std::string text(const std::filesystem::path& path) {
  return test::text_of(eigan::read_file(path));
}

}  // namespace

TEST_CASE("Run: what a killed process has left is gone on with, to the same bits") {
  const test::TemporaryFolder folder;
  Program whole(folder / "whole");
  whole.options.samples_every = 2;
  CHECK(whole.train() == kit::success);
  CHECK(whole.sheets == std::vector<Index>{2});
  CHECK(contains(text(folder / "whole/result.json"), "\"steps\": 12"));
  CHECK(contains(text(folder / "whole/result.json"), "\"more\": 1"));
  CHECK(contains(text(folder / "whole/result.json"), "\"last_epoch_loss\": "));

  for (const Index killed : {0, 2, 5, 11}) {
    CAPTURE(killed);
    const auto out = folder / ("killed" + std::to_string(killed));
    Program first(out);
    first.most = killed;
    CHECK(first.train() == -2);
    Program second(out);
    second.options.resume = true;
    CHECK(second.train() == kit::success);
    for (std::size_t i = 0; i < 3; ++i) CHECK(second.model.params()[i] == whole.model.params()[i]);
    CHECK(text(out / "losses.csv") == text(folder / "whole/losses.csv"));
  }
  Program finished(folder / "whole");
  finished.options.resume = true;
  CHECK(finished.train() == -1);
}

TEST_CASE("Run: a divergence goes back to a checkpoint and on with half the rates, or says where it is") {
  const test::TemporaryFolder folder;
  Program stops(folder / "stops");
  stops.poisoned = 6;
  CHECK(error_text<kit::Diverged>([&] { stops.train(); }) ==
        "diverged at step 7 (epoch 2): model: 0.weight[0, 1] is nan; the last checkpoint is kept; a smaller --lr may "
        "help, --retries goes on with one by itself");
  Program retries(folder / "retries");
  retries.poisoned = 6;
  retries.options.retries = 1;
  CHECK(retries.train() == kit::success);
  CHECK(retries.last_rate == 0.5);

  Program hopeless(folder / "hopeless");
  hopeless.poisoned = 6, hopeless.once = false;
  hopeless.options.retries = 2;
  CHECK(contains(error_text<kit::Diverged>([&] { hopeless.train(); }), "2 retries did not"));
  CHECK(hopeless.last_rate == 0.25);
}

TEST_CASE("Run: a folder that holds a run, and another run's checkpoint, are left alone") {
  const test::TemporaryFolder folder;
  Program(folder / "run").train();
  const std::string before = text(folder / "run/losses.csv");
  Program again(folder / "run");
  CHECK(contains(error_text([&] { again.train(); }), "holds a finished run already; --resume goes on with it"));
  again.options.resume = true, again.rate = 0.5;
  CHECK(contains(error_text([&] { again.train(); }), "expected a run with rate 0.5, found 0.01; --resume needs"));
  CHECK(text(folder / "run/losses.csv") == before);
  again.options.resume = false, again.options.force = true;
  CHECK(again.train() == kit::success);
  CHECK(text(folder / "run/losses.csv") != before);
}
