// What 32 bits and -fno-exceptions change: the largest sizes, the handler in place of throw, and one step of everything
// that an adversarial training is made of. scripts/check wasm compares with thirty_two_bits.txt.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <utility>

#include <eigan/data/batches.hpp>
#include <eigan/eigan.hpp>

using namespace eigan;

static_assert(sizeof(Index) == 4);

// 65536 x 32768 parameters are 2^31: one more than Index can count.
static_assert(Linear<65535, 32767>::input == 65535);

namespace {

double sum(const auto& values) {
  double total = 0;
  for (const float value : values) total += static_cast<double>(value);
  return total;
}

void train() {
  using G = NormalizedGenerator<5, 7, 6>;
  using D = Discriminator<6, 7, 1>;
  Model<G> g(Rng(1));
  Model<D> d(Rng(2));
  GanWorkspace<float> workspace(g, d, 8);
  Adam<float> g_adam(g.param_size()), d_adam(d.param_size());
  Matrix<float> real(6, 8), z(5, 8);
  fill_normal<float>(real, 0, 1, Rng(3));
  fill_uniform<float>(z, -1, 1, Rng(4));
  for (int step = 0; step < 20; ++step) {
    discriminator_step(g, d, d_adam, workspace, real, z, Rng(3));
    generator_step(g, d, g_adam, workspace, z, Rng(4));
  }
  std::printf("parameters after 20 steps: %.4f and %.4f\n", sum(g.params()), sum(d.params()));
}

}  // namespace

int main() {
  std::cout << "largest: " << Linear<>(2147483646, 1).spec().text() << '\n';
  const Batches batches(1000, 300, Rng(1));
  std::cout << "batches of 300 of 1000: " << batches.size() << ", the last begins with " << batches.indices(3)[0]
            << '\n';
  std::cout.flush();
  train();
  Matrix<float> w(300, 300), x(300, 300), y(300, 300);  // copies strips and panels
  w.setConstant(0.5f), x.setConstant(2.0f);
  const Matrix<float> bias = Matrix<float>::Constant(300, 1, 1.0f);
  gemm::affine<float>(w, x, bias.data(), y);
  std::printf("300 products of 0.5 and 2, and 1: %g\n", static_cast<double>(y(299, 299)));

  error_handler = [](const char* text) {
    std::printf("handled: %s\n", text);
    std::exit(0);
  };
  const Linear<> too_many(65536, 32768);
  std::printf("made: %s\n", too_many.spec().text().c_str());
  return 1;
}
