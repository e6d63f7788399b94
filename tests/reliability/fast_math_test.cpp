// Compiled with -ffast-math, which lets a compiler take it that there is no NaN and no infinity: options that are none
// are refused all the same, and so are numbers in texts.
#include <doctest/doctest.h>
#include <bit>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include <eigan/core/exact_text.hpp>
#include <eigan/io/cpp_source.hpp>
#include <eigan/io/image_sheet.hpp>
#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/metrics.hpp>
#include <eigan/net/non_finite.hpp>
#include <eigan/net/runtime/network.hpp>
#include <eigan/optim/adam.hpp>
#include <eigan/optim/ema.hpp>
#include <eigan/optim/sgd.hpp>

#include "support.hpp"

using namespace eigan;

namespace {

/// Numbers that the compiler does not know: one it knows to be a NaN it may drop with all that follows.
double opaque(std::uint64_t bits) {
  volatile std::uint64_t unknown = bits;
  return std::bit_cast<double>(std::uint64_t{unknown});
}
double nan() {
  return opaque(0x7FF8000000000000);
}
double infinity() {
  return opaque(0x7FF0000000000000);
}

}  // namespace

TEST_CASE("fast math: NaN as an option is refused") {
  using Wrong = std::invalid_argument;
  CHECK_THROWS_AS(Dropout{nan()}, Wrong);
  CHECK_THROWS_AS(LeakyReLU{nan()}, Wrong);
  CHECK_THROWS_AS(LeakyReLU{infinity()}, Wrong);
  CHECK_THROWS_AS(BatchNorm1d<>(3, nan()), Wrong);
  CHECK_THROWS_AS(BatchNorm1d<>(3, infinity()), Wrong);
  CHECK_THROWS_AS(Adam<float>(1, {.lr = nan()}), Wrong);
  CHECK_THROWS_AS(Adam<float>(1, {.beta1 = nan()}), Wrong);
  CHECK_THROWS_AS(Adam<float>(1, {.beta2 = nan()}), Wrong);
  CHECK_THROWS_AS(Adam<float>(1, {.eps = nan()}), Wrong);
  CHECK_THROWS_AS(Adam<float>(1, {.weight_decay = nan()}), Wrong);
  CHECK_THROWS_AS(SGD<float>(1, {.lr = nan()}), Wrong);
  CHECK_THROWS_AS(SGD<float>(1, {.momentum = nan()}), Wrong);
  CHECK_THROWS_AS(SGD<float>(1, {.weight_decay = nan()}), Wrong);
  const std::vector<float> parameters{1};
  CHECK_THROWS_AS(Ema<float>(parameters, nan()), Wrong);
  CHECK_THROWS_AS(cpp_literal(nan()), Wrong);
  CHECK_THROWS_AS(cpp_literal(infinity()), Wrong);
}

TEST_CASE("fast math: texts that state no finite number are refused") {
  double number = 7;
  for (const char* text : {"nan", "inf", "1e999", "-1e999", "1e-999", ""}) {
    CAPTURE(text);
    CHECK_FALSE(parse_number(text, number));
    CHECK(number == 7);
  }
  CHECK(parse_number("0.25", number));
  CHECK(number == 0.25);
  for (const char* settings : {"p=nan", "p=1e999", "p=2", "p=-1"}) {
    CAPTURE(settings);
    CHECK_THROWS_AS(Network::from_text(std::string("Linear(in_features=2, out_features=3), Dropout(") + settings + ")"),
                    Error);
  }
  CHECK(Network::from_text("Linear(in_features=2, out_features=3), Dropout(p=0.5)").depth() == 2);
}

TEST_CASE("fast math: what is no number is found among parameters, samples and pixels") {
  std::vector<float> values(100, 1.0f);
  CHECK(all_finite(std::span<const float>(values)));
  values[57] = static_cast<float>(nan());
  CHECK_FALSE(all_finite(std::span<const float>(values)));
  values[57] = static_cast<float>(infinity());
  CHECK_FALSE(all_finite(std::span<const float>(values)));
  CHECK(pixel_from_value(static_cast<float>(nan())) == 0);

  Matrix<float> samples = support::random_matrix<float>(4, 10, 1);
  CHECK_NOTHROW(metrics::gaussian_statistics(samples));
  samples(2, 3) = static_cast<float>(nan());
  CHECK_THROWS_AS(metrics::gaussian_statistics(samples), Error);
}
