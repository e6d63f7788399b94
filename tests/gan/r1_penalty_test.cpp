#include <doctest/doctest.h>
#include <algorithm>
#include <limits>
#include <vector>

#include <eigan/gan/networks.hpp>
#include <eigan/gan/r1_penalty.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("R1Penalty: a hand-worked logit") {
  // D(x) = 3 x0 - 4 x1 + 7: the slope is (3, -4) everywhere, R = 2 / 2 * 25, dR/dw = 2 w, and none for the bias.
  Model<Sequential<Linear<2, 1>>, double> d(Rng(1));
  std::copy_n(std::vector<double>{3, -4, 7}.data(), 3, d.params().data());
  R1Penalty penalty(d, 5);
  std::vector<double> grad{100, 100, 100};
  CHECK(penalty.add_gradient(d, support::random_matrix<double>(2, 5, 1), 2, std::span<double>(grad), Rng(2)) ==
        doctest::Approx(25));
  CHECK(grad[0] == doctest::Approx(106));
  CHECK(grad[1] == doctest::Approx(92));
  CHECK(grad[2] == 100);
}

TEST_CASE("R1Penalty: the gradient agrees with central differences, through leaky ReLU and dropout") {
  auto check = [](Index features, Index counted) {
    Model<Discriminator<dynamic, dynamic, dynamic, dynamic>, double> d(
        make_discriminator(std::array<Index, 4>{features, 17, 12, 1}), Rng(3));
    const Matrix<double> x = support::random_matrix<double>(features, 33, 4);
    R1Penalty penalty(d, 40, counted);
    auto grad = d.zeros(), ignored = d.zeros();
    const double value = penalty.add_gradient(d, x, 1.5, grad, Rng(5));

    // The value itself, from the slope that backward_input gives.
    auto tape = d.tape(33);
    d.forward(tape, x, Rng(5));
    tape.output_gradient().setOnes();
    Matrix<double> slope(features, 33);
    d.backward_input(tape, slope);
    CHECK(value == doctest::Approx(1.5 / 2 * slope.topRows(counted == 0 ? features : counted).squaredNorm() / 33));

    constexpr double h = 1e-6;
    double largest = 0;
    for (Index i = 0; i < grad.size(); i += 3) {
      double& p = d.params()[static_cast<std::size_t>(i)];
      const double kept = p;
      p = kept + h;
      const double above = penalty.add_gradient(d, x, 1.5, ignored, Rng(5));
      p = kept - h;
      const double below = penalty.add_gradient(d, x, 1.5, ignored, Rng(5));
      p = kept;
      const double numeric = (above - below) / (2 * h);
      CHECK(std::abs(grad[i] - numeric) <= 1e-8 + 1e-6 * std::abs(numeric));
      largest = std::max(largest, std::abs(numeric));
    }
    CHECK(largest > 1e-2);
  };
  check(9, 0);
  check(9, 6);
}

TEST_CASE("R1Penalty: the bits do not depend on threads, nor on what the last batch left") {
  const Model<Discriminator<200, 150, 60, 1>> d(Rng(3));
  const Matrix<float> x = support::random_matrix<float>(200, 100, 4);
  std::vector<Matrix<float>> results;
  for (const int threads : {1, 2, 3, 8}) {
    R1Penalty penalty(d, 100);
    auto grad = d.zeros();
    const Matrix<float> other = Matrix<float>::Constant(200, 100, 1e3f);
    penalty.add_gradient(d, other, 1, grad, Rng(9), Threads{threads});
    grad.zero();
    penalty.add_gradient(d, x, 1, grad, Rng(5), Threads{threads});
    results.push_back(Eigen::Map<const Matrix<float>>(grad.data(), grad.size(), 1));
    CHECK(support::same_bits(results.front(), results.back()));
  }
  CHECK(results.front().norm() > 0);
}

TEST_CASE("R1Penalty: what does not fit is refused") {
  const Model<Discriminator<6, 4, 2>> two(Rng(2));
  CHECK_THROWS_WITH_AS(R1Penalty(two, 10), "eigan::R1Penalty: the discriminator must give 1 logit, gives 2",
                       std::invalid_argument);
  const Model<Discriminator<6, 4, 1>> d(Rng(2));
  CHECK_THROWS_WITH_AS(R1Penalty(d, 10, 7), "eigan::R1Penalty: 7 features of an input of 6", std::invalid_argument);
  R1Penalty penalty(d, 10);
  Buffer<float> small(3);
  CHECK_THROWS_AS(penalty.add_gradient(d, Matrix<float>(6, 5), 1, small, Rng(1)), std::invalid_argument);
  auto grad = d.zeros();
  CHECK_THROWS_AS(penalty.add_gradient(d, Matrix<float>(6, 11), 1, grad, Rng(1)), std::invalid_argument);
}
