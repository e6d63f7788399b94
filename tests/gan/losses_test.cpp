#include <doctest/doctest.h>
#include <cmath>

#include <eigan/gan/losses.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

// softplus(x) = log(1 + e^x); -log sigmoid(x) = softplus(-x) and -log(1 - sigmoid(x)) = softplus(x).
static double softplus(double x) {
  return std::log1p(std::exp(x));
}

TEST_CASE("NonSaturatingLoss: the values of Goodfellow's losses") {
  const Matrix<double> logits{{1.5, -0.5}};
  Matrix<double> gradient(1, 2);
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };

  const NonSaturatingLoss plain;
  CHECK(plain.real<double>(logits, gradient) == doctest::Approx((softplus(-1.5) + softplus(0.5)) / 2));
  CHECK(gradient(0) == doctest::Approx((sigmoid(1.5) - 1) / 2));
  CHECK(plain.fake<double>(logits, gradient) == doctest::Approx((softplus(1.5) + softplus(-0.5)) / 2));
  CHECK(gradient(1) == doctest::Approx(sigmoid(-0.5) / 2));
  // Flipped labels: the generator's loss is that of a real image.
  CHECK(plain.generator<double>(logits, gradient) == doctest::Approx((softplus(-1.5) + softplus(0.5)) / 2));
  CHECK(gradient(1) == doctest::Approx((sigmoid(-0.5) - 1) / 2));
}

TEST_CASE("NonSaturatingLoss: the real label alone is smoothed") {
  const Matrix<double> logits{{1.5}};
  Matrix<double> gradient(1, 1);
  const NonSaturatingLoss smooth{.real_label = 0.9};
  CHECK(smooth.real<double>(logits, gradient) == doctest::Approx(0.9 * softplus(-1.5) + 0.1 * softplus(1.5)));
  CHECK(smooth.fake<double>(logits, gradient) == doctest::Approx(softplus(1.5)));
  CHECK(smooth.generator<double>(logits, gradient) == doctest::Approx(softplus(-1.5)));
}

TEST_CASE("NonSaturatingLoss: gradients") {
  const NonSaturatingLoss loss{.real_label = 0.9};
  for (const auto& report :
       {testing::check_loss([&](ConstView<double> z, View<double> dz) { return loss.real<double>(z, dz); }, 1, 9),
        testing::check_loss([&](ConstView<double> z, View<double> dz) { return loss.fake<double>(z, dz); }, 1, 9),
        testing::check_loss([&](ConstView<double> z, View<double> dz) { return loss.generator<double>(z, dz); }, 1,
                            9)}) {
    INFO(report.text());
    CHECK(report.ok());
  }
}
