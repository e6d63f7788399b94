// Numbers at the edge of what float can hold, and the comparison of a network's float with its double.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

namespace extremes {

using eigan::Index;
using eigan::Matrix;
using eigan::Model;
using eigan::Rng;
using eigan::Threads;

inline constexpr float denormal = 1e-40f;
inline constexpr std::array mixture{0.0f, -0.0f, denormal, -denormal, 1e4f, -1e4f, 1.0f, -1e-3f};

/// Features x batch of them, so that every column is another mixture.
inline Matrix<float> extreme_inputs(Index features, Index batch) {
  Matrix<float> x(features, batch);
  for (Index j = 0; j < batch; ++j)
    for (Index i = 0; i < features; ++i) x(i, j) = mixture[static_cast<std::size_t>((i * 3 + j * 5 + i * j) % 8)];
  return x;
}

/// All finite, and as near to double's as float's digits allow, measured by the largest of them.
inline void check_near(const Matrix<float>& found, const Matrix<double>& expected, double tolerance = 1e-5) {
  CHECK(found.allFinite());
  CHECK(expected.allFinite());
  const double scale = std::max(expected.cwiseAbs().maxCoeff(), 1e-30);
  CHECK((found.cast<double>() - expected).cwiseAbs().maxCoeff() <= tolerance * scale);
}

template <class T>
struct Pass {
  Matrix<T> y, dx, grad;
};

/// Forward, and backward from a gradient of ones.
template <class T, class Net>
Pass<T> train(const Model<Net, T>& model, const Matrix<T>& x) {
  Pass<T> pass;
  auto tape = model.tape(x.cols());
  pass.y = model.forward(tape, x, Rng(7), Threads{1});
  pass.dx.resize(x.rows(), x.cols());
  pass.grad = Matrix<T>::Zero(model.param_size(), 1);
  tape.output_gradient().setOnes();
  model.backward(tape, {pass.grad.data(), static_cast<std::size_t>(pass.grad.size())}, pass.dx, Threads{1});
  return pass;
}

/// The parameters and the state.
template <class Net>
void copy_into(const Model<Net, float>& narrow, Model<Net, double>& wide) {
  std::copy(narrow.params().begin(), narrow.params().end(), wide.params().begin());
  std::copy(narrow.state().begin(), narrow.state().end(), wide.state().begin());
}

/// Output and gradients of the network are those of double, in batches of one and more.
template <class Net>
void check_network(const std::string& name, Index features, double tolerance = 1e-5, const Net& net = Net(),
                   bool infers = true) {
  CAPTURE(name);
  const Model<Net, float> narrow(net, Rng(1));
  Model<Net, double> wide(net, Rng(1));
  copy_into(narrow, wide);
  for (const Index batch : {1, 2, 33}) {
    CAPTURE(batch);
    const Matrix<float> x = extreme_inputs(features, batch);
    const auto found = train<float>(narrow, x);
    const auto expected = train<double>(wide, x.cast<double>());
    check_near(found.y, expected.y, tolerance);
    check_near(found.dx, expected.dx, tolerance);
    if (found.grad.size() > 0) check_near(found.grad, expected.grad, tolerance);
    if (infers) CHECK(narrow.infer(x).allFinite());
  }
}

}  // namespace extremes
