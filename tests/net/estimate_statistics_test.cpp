#include <doctest/doctest.h>

#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/estimate_statistics.hpp>
#include <eigan/net/sequential.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("estimate_statistics: a hand-worked batch") {
  Model<Sequential<BatchNorm1d<2>>, double> model(Rng(1));
  estimate_statistics(model, Matrix<double>{{1, 2, 3}, {5, 5, 8}});
  const auto p = model.params<0>();
  CHECK(p[4] == doctest::Approx(2));
  CHECK(p[5] == doctest::Approx(6));
  CHECK(p[6] == doctest::Approx(1));  // (1 + 0 + 1) / 2
  CHECK(p[7] == doctest::Approx(3));  // (1 + 1 + 4) / 2
}

TEST_CASE("estimate_statistics: inference then gives what a training pass over the same samples gives") {
  using Net = Sequential<Linear<6, 100>, BatchNorm1d<100>, Tanh, Linear<100, 9>, BatchNorm1d<9>>;
  Model<Net, double> model(Rng(7));
  const Index samples = 1000;
  const Matrix<double> x = support::random_matrix<double>(6, samples, 4);
  auto tape = model.tape(samples);
  const Matrix<double> trained = model.forward(tape, x);
  CHECK_FALSE(model.infer(x).isApprox(trained, 1e-2));
  estimate_statistics(model, x);
  // All but the factor of n / (n - 1) in the variance, once for each of the two layers.
  CHECK((model.infer(x) - trained).cwiseAbs().maxCoeff() < 3.0 / samples);
}

TEST_CASE("estimate_statistics: wants samples of the network's size") {
  Model<Sequential<BatchNorm1d<2>>> model(Rng(1));
  CHECK_THROWS_WITH_AS(estimate_statistics(model, Matrix<float>(3, 5)),
                       "eigan::estimate_statistics: expected samples of 2 features, got 5 of 3", std::invalid_argument);
  CHECK_THROWS_AS(estimate_statistics(model, Matrix<float>(2, 0)), std::invalid_argument);
}
