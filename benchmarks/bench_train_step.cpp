// One step of training a classifier (forward, backward, Adam), in turns with what others need for the same.
#include "paired/program.hpp"

int main(int argc, char** argv) {
  bench::PairedProgram program(
      "Times one training step of a classifier in turns with baselines.\n"
      "  bench_train_step --net discriminator --threads 1,2\n"
      "discriminator: 784-128-64-32-1, binary cross entropy, batch 64.   discriminator-wide: 784-1024-512-256-1, batch "
      "128.\nrecogniser: 784-256-128-10, ReLU, cross entropy, batch 100.   small: 4-64-64-2, ReLU, squared error, "
      "batch 64.\n"
      "tiny: 2-8-1, tanh, squared error, one sample.   (small and tiny: eigan alone, for "
      "scripts/dev/compare-revisions)");
  std::string net = "discriminator";
  program.app()
      .add_option("--net", net, "discriminator, discriminator-wide, recogniser, small or tiny")
      ->capture_default_str();
  return bench::paired_main(program, argc, argv, [&] { return net; });
}
