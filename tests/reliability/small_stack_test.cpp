// Threads may have little stack: 128 KiB where the C library is musl, 64 KiB in WebAssembly. What a call takes of it
// does not depend on how large the matrices are.
#include <pthread.h>

#include <doctest/doctest.h>
#include <functional>

#include <eigan/gan/networks.hpp>
#include <eigan/gan/steps.hpp>
#include <eigan/kernels/gemm.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/losses/cross_entropy.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/optim/adam.hpp>

#include "support.hpp"

using namespace eigan;

namespace {

// A sanitizer's frames are several times as large as those of a program.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t stack_bytes = 1 << 20;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
constexpr std::size_t stack_bytes = 1 << 20;
#else
constexpr std::size_t stack_bytes = 64 << 10;
#endif
#else
constexpr std::size_t stack_bytes = 64 << 10;
#endif

/// Runs `work` on a thread of its own with a stack of 64 KiB. One that needs more ends the program.
void on_a_small_stack(std::function<void()> work) {
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstacksize(&attributes, stack_bytes) == 0);
  pthread_t thread;
  REQUIRE(pthread_create(
              &thread, &attributes,
              [](void* f) -> void* {
                (*static_cast<std::function<void()>*>(f))();
                return nullptr;
              },
              &work) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

template <class T>
void multiply_all_ways() {
  const Index n = 512;
  const Matrix<T> w = support::random_matrix<T>(n, n, 1), x = support::random_matrix<T>(n, n, 2);
  const Matrix<T> bias = Matrix<T>::Zero(n, 1);
  Matrix<T> there(n, n), here(n, n);
  for (const auto& multiply :
       {std::function([&](Matrix<T>& y) { gemm::affine<T>(w, x, bias.data(), y); }),
        std::function([&](Matrix<T>& y) { gemm::transposed<T>(w, x, y); }), std::function([&](Matrix<T>& y) {
          y.setZero();
          gemm::add_outer<T>(w, x, y);
        })}) {
    on_a_small_stack([&] { multiply(there); });
    multiply(here);
    CHECK((there == here));
  }
}

}  // namespace

TEST_CASE("small stack: products of 512 x 512 x 512") {
  multiply_all_ways<float>();
  multiply_all_ways<double>();
}

TEST_CASE("small stack: a training step of 784-256-10") {
  using Net = Sequential<Linear<784, 256>, LeakyReLU, Linear<256, 10>>;
  Model<Net> there(Rng(1)), here(Rng(1));
  const Matrix<float> x = support::random_matrix<float>(784, 64, 3);
  std::vector<std::uint8_t> labels(64);
  for (std::size_t j = 0; j < labels.size(); ++j) labels[j] = static_cast<std::uint8_t>(j % 10);
  const auto train = [&](Model<Net>& model) {
    auto tape = model.tape(64);
    auto gradient = model.zeros();
    Adam<float> adam(model.param_size());
    for (int step = 0; step < 2; ++step) {
      model.forward(tape, x, Threads{1});
      cross_entropy<float>(tape.output(), labels, tape.output_gradient());
      backward_and_step(model, tape, adam, gradient, Threads{1});
    }
    auto scratch = model.scratch();
    Matrix<float> y(10, 64);
    model.infer(ConstView<float>(x), View<float>(y), scratch);
  };
  on_a_small_stack([&] { train(there); });
  train(here);
  CHECK(support::same_bits<float>(there.params(), here.params()));
}

TEST_CASE("small stack: an adversarial step") {
  using G = Generator<32, 128, 784>;
  using D = Discriminator<784, 128, 1>;
  Model<G> g(Rng(1));
  Model<D> d(Rng(2));
  const Matrix<float> before = Eigen::Map<const Matrix<float>>(d.params().data(), d.param_size(), 1);
  const Matrix<float> real = support::random_matrix<float>(784, 64, 3), z = support::random_matrix<float>(32, 64, 4);
  on_a_small_stack([&] {
    GanWorkspace workspace(g, d, 64);
    Adam<float> g_adam(g.param_size()), d_adam(d.param_size());
    discriminator_step(g, d, d_adam, workspace, real, z, Rng(3), NonSaturatingLoss(), Threads{1});
    generator_step(g, d, g_adam, workspace, z, Rng(4), NonSaturatingLoss(), Threads{1});
  });
  CHECK_FALSE(support::same_bits<float>(d.params(), {before.data(), static_cast<std::size_t>(before.size())}));
}
