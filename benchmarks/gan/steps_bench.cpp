// The two steps of adversarial training and the passes that they consist of, for the recipes `seed` and `wide`: where
// the time of bench_gan_step goes. The last argument is the number of threads.
#include <eigan/gan/networks.hpp>
#include <eigan/gan/steps.hpp>
#include <eigan/net/model.hpp>
#include <eigan/optim/adam.hpp>

#include "../allocations.hpp"
#include "../micro.hpp"

namespace {

using namespace eigan;

struct Seed {
  using G = Generator<100, 32, 64, 128, 784>;
  using D = Discriminator<784, 128, 64, 32, 1>;
  static constexpr Index batch = 64;
  static G generator() { return make_generator<100, 32, 64, 128, 784>(); }
  static D discriminator() { return make_discriminator<784, 128, 64, 32, 1>(); }
};
struct Wide {
  using G = Generator<100, 256, 512, 1024, 784>;
  using D = Discriminator<784, 1024, 512, 256, 1>;
  static constexpr Index batch = 128;
  static G generator() { return make_generator<100, 256, 512, 1024, 784>(); }
  static D discriminator() { return make_discriminator<784, 1024, 512, 256, 1>(); }
};

template <class Recipe>
struct Training {
  static constexpr Index batch = Recipe::batch;
  explicit Training(const benchmark::State& state) : threads{static_cast<int>(state.range(0))} {
    fill_uniform(real.view(), -1, 1, Rng(3));
    fill_uniform(z.view(), -1, 1, Rng(4));
  }

  void step_discriminator() {
    discriminator_step(generator, discriminator, discriminator_adam, workspace, real.view(), z.view(), next(),
                       {.real_label = 0.9}, threads);
  }
  void step_generator() {
    generator_step(generator, discriminator, generator_adam, workspace, z.view(), next(), NonSaturatingLoss{}, threads);
  }
  Rng next() { return Rng(5).fold_in(step++); }

  Threads threads;
  Model<typename Recipe::G> generator{Recipe::generator(), Rng(1)};
  Model<typename Recipe::D> discriminator{Recipe::discriminator(), Rng(2)};
  Adam<> generator_adam{generator.param_size(), {.lr = 0.002}};
  Adam<> discriminator_adam{discriminator.param_size(), {.lr = 0.002}};
  GanWorkspace<float> workspace{generator, discriminator, batch};
  BufferMatrix<float> real{784, batch}, z{100, batch};
  std::uint64_t step = 0;
};

/// Products of a network's weights with `times` batches of `batch`: what the FMA peak is compared with.
double flop(const BasicModel<float>& model, Index batch, double times) {
  return 2 * times * static_cast<double>(model.param_size() * batch);
}

template <class F>
void run(benchmark::State& state, double operations, const F& f) {
  f();  // OpenMP allocates its threads
  long allocated = 0;
  bench::run_flop(state, operations, static_cast<int>(state.range(0)), bench::counting_allocations(allocated, f));
  state.counters["allocations"] = static_cast<double>(allocated);
}

template <class Recipe>
void discriminator_whole(benchmark::State& state) {
  Training<Recipe> t(state);
  run(state, flop(t.generator, t.batch, 1) + flop(t.discriminator, 2 * t.batch, 2), [&] { t.step_discriminator(); });
}
template <class Recipe>
void generator_whole(benchmark::State& state) {
  Training<Recipe> t(state);
  run(state, flop(t.generator, t.batch, 3) + flop(t.discriminator, t.batch, 2), [&] { t.step_generator(); });
}
/// Denormal images and latent vectors, and weights that make denormal numbers of them all the way through.
template <class Recipe>
void discriminator_denormal(benchmark::State& state) {
  Training<Recipe> t(state);
  t.real.view() *= 1e-38f;
  t.z.view() *= 1e-38f;
  t.discriminator_adam.options().lr = 0;  // so that they stay
  run(state, flop(t.generator, t.batch, 1) + flop(t.discriminator, 2 * t.batch, 2), [&] { t.step_discriminator(); });
}
template <class Recipe>
void generator_forward(benchmark::State& state) {
  Training<Recipe> t(state);
  run(state, flop(t.generator, t.batch, 1),
      [&] { t.generator.forward(t.workspace.g_tape, t.z.view(), t.next(), t.threads); });
}
template <class Recipe>
void discriminator_forward(benchmark::State& state) {
  Training<Recipe> t(state);
  run(state, flop(t.discriminator, 2 * t.batch, 1), [&] {
    t.discriminator.forward(t.workspace.d_tape, t.workspace.both(t.batch), Draw{t.next(), 0}, t.threads);
  });
}
template <class Recipe>
void discriminator_backward_input(benchmark::State& state) {
  Training<Recipe> t(state);
  t.discriminator.forward(t.workspace.d_tape, t.workspace.fake(t.batch), t.next(), t.threads);
  BufferMatrix<float> dx(784, t.batch);
  run(state, flop(t.discriminator, t.batch, 1), [&] {
    t.workspace.d_tape.output_gradient().setConstant(0.01f);  // backward works in place
    t.discriminator.backward_input(t.workspace.d_tape, dx.view(), t.threads);
  });
}
/// Gradient into the hidden layers, gradient of the weights, Adam.
template <class Recipe>
void discriminator_backward_and_step(benchmark::State& state) {
  Training<Recipe> t(state);
  t.discriminator.forward(t.workspace.d_tape, t.workspace.both(t.batch), Draw{t.next(), 0}, t.threads);
  run(state, flop(t.discriminator, 2 * t.batch, 1), [&] {
    t.workspace.d_tape.output_gradient().setConstant(0.01f);
    backward_and_step(t.discriminator, t.workspace.d_tape, t.discriminator_adam, t.workspace.d_grad, t.threads);
  });
}

}  // namespace

#define BENCH_BOTH(FUNCTION)           \
  BENCHMARK_TEMPLATE(FUNCTION, Seed)   \
      ->Arg(1)                         \
      ->Arg(2)                         \
      ->ArgName("threads")             \
      ->UseRealTime()                  \
      ->Unit(benchmark::kMicrosecond); \
  BENCHMARK_TEMPLATE(FUNCTION, Wide)->Arg(1)->Arg(2)->ArgName("threads")->UseRealTime()->Unit(benchmark::kMicrosecond)
BENCH_BOTH(discriminator_whole);
BENCH_BOTH(discriminator_denormal);
BENCH_BOTH(generator_whole);
BENCH_BOTH(generator_forward);
BENCH_BOTH(discriminator_forward);
BENCH_BOTH(discriminator_backward_input);
BENCH_BOTH(discriminator_backward_and_step);

BENCHMARK_MAIN();
