#include "network.hpp"

eigan::Model<Net> train_xor() {
  const eigan::Matrix<float> x{{0, 0, 1, 1}, {0, 1, 0, 1}};
  const eigan::Matrix<float> target{{0, 1, 1, 0}};
  eigan::Model<Net> model(eigan::Rng(1));
  auto tape = model.tape(4);
  auto gradient = model.zeros();
  eigan::Adam adam(gradient.size(), {.lr = 0.05});
  for (int step = 0; step < 200; ++step) {
    const auto z = model.forward(tape, x);
    eigan::bce_with_logits<float>(z, target, tape.output_gradient());
    eigan::backward_and_step(model, tape, adam, gradient);
  }
  return model;
}
