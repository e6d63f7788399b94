// Lesson 3: training, with nothing hidden.
//
// XOR is the smallest problem that needs a hidden layer. The loop below is all there is to training; write it out in
// your own programs, too. Each round
//   forward            runs the network and remembers on the tape what the way back needs,
//   the loss           returns its value and writes its gradient to where the way back starts,
//   backward_params    adds the gradient of every parameter to `gradient`,
//   step               moves the parameters.
// The tape and the gradient are yours, made once and used in every round: a training step allocates nothing. The
// gradient is set to zero by you, because only you know when you are done adding to it.
//
// The network ends in a logit, any real number; the loss and sigmoid() make a probability of it.
// [program]
#include <cmath>
#include <iomanip>
#include <iostream>

#include <eigan/eigan.hpp>

using namespace eigan;

int main() {
  const Matrix<float> x{{0, 0, 1, 1},  // four samples, two features each
                        {0, 1, 0, 1}};
  const Matrix<float> target{{0, 1, 1, 0}};

  Model<Sequential<Linear<2, 8>, Tanh, Linear<8, 1>>> model(Rng(1));
  auto tape = model.tape(4);
  auto gradient = model.zeros();
  Adam adam(gradient.size(), {.lr = 0.05});

  std::cout << std::fixed << std::setprecision(3);
  for (int step = 0; step <= 200; ++step) {
    const auto z = model.forward(tape, x);
    const float loss = bce_with_logits<float>(z, target, tape.output_gradient());
    if (step % 50 == 0) std::cout << "step " << std::setw(3) << step << "   loss " << loss << '\n';

    gradient.zero();
    model.backward_params(tape, gradient);
    adam.step(model.params(), gradient);
  }

  const Matrix<float> z = model.infer(x);
  for (Index j = 0; j < 4; ++j) {
    const float probability = 1 / (1 + std::exp(-z(0, j)));
    std::cout << (x(0, j) > 0) << " xor " << (x(1, j) > 0) << " = " << probability << '\n';
  }
}
// [/program]
