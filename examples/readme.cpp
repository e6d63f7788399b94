#include <iostream>

#include <eigan/eigan.hpp>

using namespace eigan;

// Teaches a network to tell points inside of a circle
// from points outside.
int main() {
  Matrix<float> x(2, 500);
  fill_uniform<float>(x, -1, 1, Rng(1));
  const Matrix<float> r = x.colwise().norm();
  const Matrix<float> inside = (r.array() < 0.8f).cast<float>();

  using Net = Sequential<Linear<2, 16>, Tanh, Linear<16, 1>>;
  Model<Net> model(Rng(2));
  auto tape = model.tape(x.cols());
  auto gradient = model.zeros();
  Adam adam(gradient.size(), {.lr = 0.02});
  for (int step = 0; step < 500; ++step) {
    const auto z = model.forward(tape, x);
    bce_with_logits<float>(z, inside, tape.output_gradient());
    backward_and_step(model, tape, adam, gradient);
  }

  const Matrix<float> points{{0, 0.5f, 0.9f}, {0, 0.5f, 0.9f}};
  const Matrix<float> logits = model.infer(points);
  for (const float z : logits.reshaped()) {
    std::cout << (z > 0 ? "inside\n" : "outside\n");
  }
}
