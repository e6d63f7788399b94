#include <doctest/doctest.h>

#include <eigan/gan/least_squares_loss.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

TEST_CASE("LeastSquaresLoss: gradients") {
  const LeastSquaresLoss loss{.real_label = 0.9};
  for (const auto& report :
       {testing::check_loss([&](ConstView<double> z, View<double> dz) { return loss.real<double>(z, dz); }, 3, 4),
        testing::check_loss([&](ConstView<double> z, View<double> dz) { return loss.fake<double>(z, dz); }, 3, 4),
        testing::check_loss([&](ConstView<double> z, View<double> dz) { return loss.generator<double>(z, dz); }, 3,
                            4)}) {
    INFO(report.text());
    CHECK(report.ok());
    CHECK(report.compared() == 12);
  }
}

TEST_CASE("LeastSquaresLoss: worked by hand; the real label alone is smoothed") {
  const Matrix<float> outputs{{1, 3}};
  Matrix<float> gradient(1, 2);
  const LeastSquaresLoss loss{.real_label = 0.5};
  CHECK(loss.real<float>(outputs, gradient) == 3.25f);  // (0.5^2 + 2.5^2) / 2
  CHECK(gradient == Matrix<float>{{0.5f, 2.5f}});
  CHECK(loss.fake<float>(outputs, gradient) == 5);  // (1^2 + 3^2) / 2
  CHECK(gradient == Matrix<float>{{1, 3}});
  CHECK(loss.generator<float>(outputs, gradient) == 2);  // (0^2 + 2^2) / 2
  CHECK(gradient == Matrix<float>{{0, 2}});
}
