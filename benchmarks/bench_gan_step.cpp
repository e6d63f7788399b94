// One whole step of adversarial training, discriminator and generator, in turns with what others need for the same.
#include "paired/program.hpp"

int main(int argc, char** argv) {
  bench::PairedProgram program(
      "Times a whole GAN step of eigan in turns with baselines.\n"
      "  bench_gan_step --recipe seed --threads 2\n"
      "  bench_gan_step --recipe wide --threads 1,2 --baseline all\n"
      "  bench_gan_step --recipe seed --baseline none --json\n"
      "seed: D 784-128-64-32-1, G 100-32-64-128-784, batch 64.   wide: D 784-1024-512-256-1, G 100-256-512-1024-784, "
      "batch 128.");
  std::string recipe = "seed";
  program.app().add_option("--recipe", recipe, "seed or wide")->capture_default_str();
  return bench::paired_main(program, argc, argv, [&] { return "gan-" + recipe; });
}
