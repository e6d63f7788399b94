// Lesson 7: a trained network as C++ source.
//
// save_cpp_source() writes a header with the layers and the bits of every parameter. A program that includes it has the
// network compiled in: there is no file to install, to find or to read, and nothing that could be missing or damaged.
// It computes the same bits as the model that was saved. The program here trains a network and shows its header;
//     #include "07_cpp_source.hpp"
//     const float answer = exclusive_or::model().infer(eigan::Matrix<float>{{1}, {0}})(0, 0);
// is all that another program needs. Its make_model() gives a copy that may be trained on.
#include <cmath>
#include <fstream>
#include <iostream>

#include <eigan/eigan.hpp>
#include <eigan/io/cpp_source.hpp>

using namespace eigan;

int main() {
  const Matrix<float> x{{0, 0, 1, 1}, {0, 1, 0, 1}}, target{{0, 1, 1, 0}};
  // [save]
  Model<Sequential<Linear<2, 8>, Tanh, Linear<8, 1>>> model(Rng(1));
  auto tape = model.tape(x.cols());
  auto gradient = model.zeros();
  Adam adam(gradient.size(), {.lr = 0.05});
  for (int step = 0; step < 500; ++step) {
    const auto y = model.forward(tape, x);
    mse<float>(y, target, tape.output_gradient());
    backward_and_step(model, tape, adam, gradient);
  }
  save_cpp_source("07_cpp_source.hpp", model, "exclusive_or");
  // [/save]
  std::cout << "Exclusive or of 1 and 0 is " << std::round(model.infer(Matrix<float>{{1}, {0}})(0, 0))
            << ". The header:\n\n"
            << std::ifstream("07_cpp_source.hpp").rdbuf();
}
