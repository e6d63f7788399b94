// Signals of 32 samples, each a sine of random amplitude and phase, through a code of two numbers and back: as many as
// a sine of known frequency has.
#include <cmath>
#include <iomanip>
#include <iostream>
#include <numbers>

#include <eigan/eigan.hpp>

using namespace eigan;

Matrix<float> signals(Index count, Rng rng) {
  Matrix<float> x(32, count), drawn(2, count);
  fill_uniform<float>(drawn, 0, 1, rng);
  for (Index j = 0; j < count; ++j)
    for (Index i = 0; i < 32; ++i)
      x(i, j) = (0.5f + drawn(0, j)) * std::sin(2 * std::numbers::pi_v<float> * (float(i) / 16 + drawn(1, j)));
  return x;
}

int main() {
  using Encoder = Sequential<Linear<32, 24>, Tanh, Linear<24, 2>>;
  using Decoder = Sequential<Linear<2, 24>, Tanh, Linear<24, 32>>;
  Model<Sequential<Encoder, Decoder>> model(Rng(1));
  const Matrix<float> x = signals(256, Rng(2)), unseen = signals(256, Rng(3));
  auto tape = model.tape(x.cols());
  auto gradient = model.zeros();
  Adam adam(gradient.size());
  for (Index step = 0; step < 1500; ++step) {
    adam.options().lr = 0.01 * cosine_decay(step, 1500);
    const auto y = model.forward(tape, x);
    mse<float>(y, x, tape.output_gradient());
    backward_and_step(model, tape, adam, gradient);
  }
  const float power = unseen.squaredNorm() / float(unseen.size());
  const float left = mse<float>(model.infer(unseen), unseen) / power;
  std::clog << "part of the power that is lost " << left << '\n';
  std::cout << "the code keeps more than 98 % of the power: " << std::boolalpha << (left < 0.02f) << '\n';

  // The encoder alone, with its part of the parameters.
  Model<Encoder> encoder(Rng(1));
  std::ranges::copy(model.params<0>(), encoder.params().begin());
  std::cout << "a signal's code has " << encoder.infer(unseen.col(0)).size() << " numbers\n";
}
