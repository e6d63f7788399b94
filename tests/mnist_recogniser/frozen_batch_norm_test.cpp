#include "mnist_recogniser/frozen_batch_norm.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <eigan/core/random.hpp>
#include <eigan/layers/conv2d.hpp>
#include <eigan/layers/max_pool2d.hpp>
#include <eigan/layers/relu.hpp>
#include <eigan/net/input.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

using namespace mnist_recogniser;
using eigan::Matrix;

namespace {

/// As a recogniser has it: between a pooling and a ReLU, and a convolution behind.
template <template <Index> class Norm>
using Net = eigan::Sequential<eigan::Input<2, 6, 6>, eigan::Conv2d<2, 3, 3, 1, 0>, eigan::MaxPool2d<2>, Norm<3>,
                              eigan::ReLU, eigan::Conv2d<3, 2, 2, 1, 0>>;

/// Statistics as a training leaves them, and factors of either sign.
template <class T>
eigan::Model<Net<eigan::BatchNorm2d>, T> trained() {
  eigan::Model<Net<eigan::BatchNorm2d>, T> model(eigan::Rng(3));
  const T factors[]{T(1.5), T(-0.7), T(0.4)}, shifts[]{T(0.1), T(0.2), T(-0.1)};
  std::copy_n(factors, 3, model.params(2).begin());
  std::copy_n(shifts, 3, model.params(2).begin() + 3);
  const T statistics[]{T(0.2), T(-0.1), T(0.3), T(0.5), T(2), T(0.8), T(7)};
  std::copy_n(statistics, 7, model.state().begin());
  return model;
}

template <class T>
eigan::Model<Net<FrozenBatchNorm2d>, T> frozen(const eigan::Model<Net<eigan::BatchNorm2d>, T>& from) {
  eigan::Model<Net<FrozenBatchNorm2d>, T> model(eigan::Rng(4));
  std::ranges::copy(from.params(), model.params().begin());
  std::ranges::copy(from.state(), model.state().begin());
  return model;
}

template <class T>
Matrix<T> images(Index count) {
  Matrix<T> x(2 * 6 * 6, count);
  eigan::fill_uniform<T>(x, -1, 1, eigan::Rng(5));
  return x;
}

}  // namespace

TEST_CASE("FrozenBatchNorm2d: a training pass gives what inference gives, for any batch and any threads") {
  const auto trained = ::trained<float>();
  const auto frozen = ::frozen(trained);
  const Matrix<float> x = images<float>(9), y = trained.infer(x);
  CHECK(frozen.infer(x) == y);
  auto tape = frozen.tape(9);
  for (const int threads : {1, 3}) {
    CHECK(Matrix<float>(frozen.forward(tape, x, eigan::Threads{threads})) == y);
    CHECK(Matrix<float>(frozen.forward(tape, eigan::ConstView<float>(x).columns(4, 1), eigan::Threads{threads})) ==
          y.col(4));
  }
}

TEST_CASE("FrozenBatchNorm2d: the way back is that of inference") {
  const auto frozen = ::frozen(trained<double>());
  const Matrix<double> x = images<double>(3);
  auto tape = frozen.tape(3);
  Matrix<double> upstream = frozen.forward(tape, x), dx(x.rows(), x.cols());
  eigan::fill_uniform<double>(upstream, -1, 1, eigan::Rng(6));
  tape.output_gradient() = upstream;
  frozen.backward_input(tape, dx);
  constexpr double h = 1e-6;
  for (Index j = 0; j < x.cols(); ++j)
    for (Index i = 0; i < x.rows(); ++i) {
      Matrix<double> more = x, less = x;
      more(i, j) += h, less(i, j) -= h;
      const double slope = ((frozen.infer(more) - frozen.infer(less)).array() * upstream.array()).sum() / (2 * h);
      CHECK(dx(i, j) == doctest::Approx(slope).epsilon(1e-6));
    }
}

TEST_CASE("FrozenBatchNorm2d: nobody trains it") {
  const auto frozen = ::frozen(trained<float>());
  auto tape = frozen.tape(2);
  const Matrix<float> x = images<float>(2);
  frozen.forward(tape, x);
  tape.output_gradient().setOnes();
  auto gradient = frozen.zeros();
  CHECK_THROWS_WITH_AS(frozen.backward_params(tape, gradient), doctest::Contains("FrozenBatchNorm2d"),
                       std::invalid_argument);
}
