// mnist_gan: trains the GAN of Goodfellow et al. 2014 on MNIST and draws digits with it. `mnist_gan --help` says how.
#include <cstdio>
#include <variant>

#include "kit/clock.hpp"
#include "kit/exit_code.hpp"
#include "kit/guarded.hpp"

#include "commands.hpp"

namespace mnist_gan {
namespace {

struct Do {
  Clock::time_point start;

  int operator()(const TrainOptions& options) const { return train(options); }
  int operator()(const EvaluateOptions& options) const { return evaluate(options); }
  int operator()(const RaceOptions& options) const { return race(options, start); }
  int operator()(const SampleOptions& options) const { return sample(options); }
  int operator()(const Answer& answer) const {
    std::fputs(answer.text.c_str(), stdout);
    return success;
  }
};

int run(int argc, char** argv) {
  const auto start = Clock::now();
  try {
    return std::visit(Do{start}, parse_arguments(argc, argv));
  } catch (const BadUsage& error) {
    return fail("mnist_gan", error.what(), usage);
  }
}

}  // namespace
}  // namespace mnist_gan

int main(int argc, char** argv) {
  return kit::guarded("mnist_gan", [&] { return mnist_gan::run(argc, argv); });
}
