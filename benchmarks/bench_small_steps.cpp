// Small networks on a quiet and on a busy machine: whole training steps by default to the same on one thread, in pairs.
//
// Each side is a process of its own, because thread pools that share one spin in each other's way. They take turns, and
// a ratio is taken pair by pair. For the busy half as many processes as there are processors do nothing but count.
#include <unistd.h>

#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <eigan/eigan.hpp>

#include "machine.hpp"
#include "paired/process.hpp"
#include "paired/statistics.hpp"

namespace {

using namespace eigan;

/// Runs step() in a process of its own, in turns.
class Side {
 public:
  template <class MakeStep>
  Side(const MakeStep& make_step, double turn) : process_((open(), [&] { serve(make_step(), turn); })) {}

  /// Seconds a step, over one turn.
  double turn() {
    double result = 0;
    char go = 0;
    if (write(request_[1], &go, 1) != 1 || read(answer_[0], &result, sizeof result) != sizeof result)
      throw std::runtime_error("a side has ended early");
    return result;
  }

 private:
  void open() {
    if (pipe(request_) != 0 || pipe(answer_) != 0) throw std::runtime_error("no more pipes");
  }
  template <class Step>
  void serve(Step step, double turn) {
    for (char go = 0; read(request_[0], &go, 1) == 1;) {
      for (int i = 0; i < 20; ++i) step();
      const double start = bench::seconds();
      double now = start;
      long steps = 0;
      for (; now - start < turn; now = bench::seconds(), ++steps) step();
      const double result = (now - start) / static_cast<double>(steps);
      if (write(answer_[1], &result, sizeof result) != sizeof result) return;
    }
  }

  int request_[2] = {}, answer_[2] = {};
  bench::Process process_;
};

/// A training step with Adam and an inference of the same batch, as a temporal-difference learner does both.
template <class Net>
auto training(Index batch, Threads threads) {
  return [=] {
    Model<Net> net(Rng(1));
    const auto params = static_cast<Index>(net.params().size());
    return [threads, tape = net.tape(batch), x = Matrix<float>(Matrix<float>::Random(net.input_size(), batch)),
            adam = Adam(params), gradient = Buffer<float>(params), model = std::move(net)]() mutable {
      const Matrix<float> target = model.infer(x, threads);
      const auto y = model.forward(tape, x, threads);
      mse<float>(y, target, tape.output_gradient());
      backward_and_step(model, tape, adam, gradient, threads);
    };
  };
}

struct Options {
  int rounds = 31;
  double turn = 0.1;
};

template <class Net>
std::string ratio(Index batch, const Options& options) {
  Side by_default(training<Net>(batch, {}), options.turn), one(training<Net>(batch, {1}), options.turn);
  std::vector<double> ratios;
  for (int round = 0; round < options.rounds; ++round) {
    Side& first = round % 2 == 0 ? by_default : one;
    const double a = first.turn(), b = (round % 2 == 0 ? one : by_default).turn();
    ratios.push_back(round % 2 == 0 ? a / b : b / a);
  }
  const bench::Summary s = bench::summarise(ratios);
  char text[64];
  std::snprintf(text, sizeof text, "%.3f (%.3f to %.3f)", s.median, s.p10, s.p90);
  return text;
}

template <class Net>
void row(const char* name, Index batch, const Options& options) {
  const std::string quiet = ratio<Net>(batch, options);
  const std::vector<bench::Process> others = bench::busy_processes(detail::allowed_processors());
  const std::string busy = ratio<Net>(batch, options);
  std::printf("| %s, batch %d | %s | %s |\n", name, static_cast<int>(batch), quiet.c_str(), busy.c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("A training step of small networks by default, to the same on one thread");
  app.add_option("--rounds", options.rounds, "Pairs of turns")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--turn", options.turn, "Seconds of a turn")->check(CLI::PositiveNumber)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  std::printf("%s, %d processors; %s %s; %d pairs\n\n", bench::processor_name().c_str(), detail::allowed_processors(),
              bench::compiler_name().c_str(), EIGAN_BENCH_FLAGS, options.rounds);
  std::printf("| time by default to that on one thread | quiet: at most 1.05 | busy: at most 1.3 |\n|---|---|---|\n");
  row<Sequential<Linear<4, 64>, ReLU, Linear<64, 64>, ReLU, Linear<64, 2>>>("4-64-64-2", 64, options);
  row<Sequential<Linear<2, 16>, Tanh, Linear<16, 1>>>("2-16-1", 128, options);
  row<Sequential<Linear<64, 64>, ReLU, Linear<64, 64>, ReLU, Linear<64, 10>>>("64-64-64-10", 128, options);
}
