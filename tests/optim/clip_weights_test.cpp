#include <doctest/doctest.h>
#include <cmath>
#include <limits>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include <eigan/layers/linear.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/optim/clip_weights.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE_TEMPLATE("clip_weights: worked by hand, an infinity is clipped, a NaN stays", T, float, double) {
  const T infinity = std::numeric_limits<T>::infinity();
  std::vector<T> p{T(0.5), T(-0.5), T(0.25), T(-0.25), T(0.1), T(-0.1), T(-0.0), infinity, -infinity, T(NAN)};
  clip_weights(std::span<T>(p), 0.25);
  CHECK(std::isnan(p.back()));
  p.pop_back();
  const std::vector<T> expected{T(0.25), T(-0.25), T(0.25), T(-0.25), T(0.1), T(-0.1), T(-0.0), T(0.25), T(-0.25)};
  CHECK(support::same_bits<T>(std::span<const T>(p), std::span<const T>(expected)));
}

TEST_CASE("clip_weights: all parameters of a model lie within c, those that did stay") {
  Model<Sequential<Linear<20, 30>, Linear<30, 1>>> model(Rng(1));
  const auto before = support::copy_of(std::as_const(model).params());
  clip_weights(model.params(), 0.01);
  int clipped = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (std::abs(before[i]) <= 0.01f) {
      CHECK(model.params()[i] == before[i]);
    } else {
      CHECK(model.params()[i] == (before[i] > 0 ? 0.01f : -0.01f));
      ++clipped;
    }
  }
  CHECK(clipped > 500);
  clip_weights(std::span<float>(), 1);  // nothing is nothing
}

TEST_CASE("clip_weights: a bound that is not more than 0, or no number, is refused and clips nothing") {
  std::vector<float> p{1, -2};
  for (const double c : {0.0, -0.0, -0.01, std::nan(""), -std::numeric_limits<double>::infinity(), 1e-60})
    CHECK_THROWS_AS(clip_weights(std::span<float>(p), c), std::invalid_argument);
  CHECK_THROWS_WITH_AS(clip_weights(std::span<float>(p), -1), "eigan::clip_weights: c must be more than 0, is -1",
                       std::invalid_argument);
  CHECK(p == std::vector<float>{1, -2});
  clip_weights(std::span<float>(p), std::numeric_limits<double>::infinity());
  CHECK(p == std::vector<float>{1, -2});
}
