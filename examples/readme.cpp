#include <iostream>

#include <eigan/eigan.hpp>

using namespace eigan;

int main() {  // teaches a network to tell points inside a circle from points outside
  Matrix<float> x(2, 500);
  fill_uniform<float>(x, -1, 1, Rng(1));
  const Matrix<float> inside = (x.colwise().norm().array() < 0.8f).cast<float>();

  Model<Sequential<Linear<2, 16>, Tanh, Linear<16, 1>>> model(Rng(2));
  auto tape = model.tape(x.cols());
  auto gradient = model.zeros();
  Adam adam(gradient.size(), {.lr = 0.02});
  for (int step = 0; step < 500; ++step) {
    const auto logits = model.forward(tape, x);
    bce_with_logits<float>(logits, inside, tape.output_gradient());
    backward_and_step(model, tape, adam, gradient);
  }

  const Matrix<float> logits = model.infer(Matrix<float>{{0, 0.5f, 0.9f}, {0, 0.5f, 0.9f}});
  for (const float logit : logits.reshaped()) std::cout << (logit > 0 ? "inside\n" : "outside\n");
}
