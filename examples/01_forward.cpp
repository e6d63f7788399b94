// Lesson 1: a network computes.
//
// A network is a type: the layers, one after the other, and the sizes between them. Where two sizes do not fit, the
// program does not compile: change one 3 below into a 4 and read the message. The type holds no numbers. Those live
// in a Model, all of them in one flat buffer, and each layer knows which part of that buffer is its own.
//
// A sample is a column. A batch of four samples with two features each is a 2 x 4 matrix; so is what goes in here,
// and a 1 x 4 matrix comes out. Matrices are Eigen's, and a View is a matrix that somebody else owns: you read and
// write it with every expression that Eigen has.
//
// A Model starts with random weights, drawn from the generator that you give it. Here we write the weights by hand
// instead, because there is a network that computes the larger of two numbers without any training:
//     max(a, b) = relu(a - b) + relu(b) - relu(-b)
// `infer` is the forward pass for a finished network. It changes nothing, so threads can share one model.
#include <iostream>

#include <eigan/eigan.hpp>

using namespace eigan;

int main() {
  Model<Sequential<Linear<2, 3>, ReLU, Linear<3, 1>>> model(Rng(1));
  std::cout << summary(model) << '\n';

  const auto& net = model.net();
  net.layer<0>().weight(model.params<0>()) = Matrix<float>{{1, -1}, {0, 1}, {0, -1}};  // 3 x 2: outputs x inputs
  net.layer<0>().bias(model.params<0>()).setZero();
  net.layer<2>().weight(model.params<2>()) = Matrix<float>{{1, 1, -1}};  // 1 x 3
  net.layer<2>().bias(model.params<2>()).setZero();

  const Matrix<float> x{{1, 5, -2, -3},  // the first feature of four samples
                        {4, 2, -7, -3}};
  const Matrix<float> y = model.infer(x);
  std::cout << "x, a sample a column:\n" << x << "\nmax of each column:\n" << y << "\n\n";

  for (const Parameter& p : model.parameters())
    std::cout << p.name << " is " << p.rows << " x " << p.cols << " and starts at " << p.offset << '\n';
}
