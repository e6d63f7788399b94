#include <doctest/doctest.h>
#include <cmath>
#include <stdexcept>
#include <vector>

#include <eigan/optim/ema.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("Ema: worked by hand") {
  Ema<double> ema(std::vector<double>{8, -8}, 0.25);
  CHECK(ema.updates() == 0);
  CHECK(support::copy_of(ema.params()) == std::vector<double>{8, -8});
  // d = 1/10, then 2/11, then 3/12, from where on it is the decay: 4/13 is more.
  ema.update(std::vector<double>{18, 2});
  CHECK(ema.params()[0] == doctest::Approx(17));
  CHECK(ema.params()[1] == doctest::Approx(1));
  ema.update(std::vector<double>{6, 1});
  CHECK(ema.params()[0] == doctest::Approx(8));
  ema.update(std::vector<double>{16, 1});
  CHECK(ema.params()[0] == doctest::Approx(14));
  ema.update(std::vector<double>{6, 1});
  CHECK(ema.params()[0] == doctest::Approx(8));
  CHECK(ema.params()[1] == doctest::Approx(1));
  CHECK(ema.updates() == 4);
}

TEST_CASE("Ema: agrees with the formula over 50 updates") {
  constexpr std::size_t n = 37;
  std::vector<double> expected = support::random_values<double>(n, 1);
  Ema<float> ema(std::vector<float>(expected.begin(), expected.end()), 0.8);
  for (std::uint64_t t = 0; t < 50; ++t) {
    const std::vector<double> params = support::random_values<double>(n, 10 + t);
    ema.update(std::vector<float>(params.begin(), params.end()));
    const double d = std::min(0.8, (1.0 + static_cast<double>(t)) / (10.0 + static_cast<double>(t)));
    for (std::size_t i = 0; i < n; ++i) {
      expected[i] = d * expected[i] + (1 - d) * params[i];
      REQUIRE(std::abs(static_cast<double>(ema.params()[i]) - expected[i]) < 1e-6);
    }
  }
}

TEST_CASE("Ema: of parameters that stay is these parameters, to the last bit") {
  const std::vector<float> params = support::random_values<float>(101, 3);
  Ema<float> ema(params, 0.999);
  for (int t = 0; t < 20; ++t) ema.update(params);
  CHECK(support::same_bits<float>(ema.params(), params));
}

TEST_CASE("Ema: every element is averaged once, with the same bits for any number of threads") {
  constexpr std::size_t n = 200001;  // enough to be shared, and no multiple of a part
  const std::vector<float> start = support::random_values<float>(n, 1), next = support::random_values<float>(n, 2);
  Ema<float> alone(start, 0.9);
  alone.update(next, {1});
  for (std::size_t i = 0; i < n; ++i) REQUIRE(alone.params()[i] == std::fma(0.9f, next[i] - start[i], start[i]));
  for (const int threads : {2, 3, 8}) {
    Ema<float> shared(start, 0.9);
    shared.update(next, {threads});
    CHECK(support::same_bits<float>(shared.params(), alone.params()));
  }
}

TEST_CASE("Ema: a decay of 0 forgets all but the latest") {
  Ema<float> ema(std::vector<float>{1, 2}, 0);
  ema.update(std::vector<float>{5, -3});
  CHECK(support::copy_of(ema.params()) == std::vector<float>{5, -3});
}

TEST_CASE("Ema: a decay out of range and parameters of another length are refused") {
  const std::vector<float> two(2), three(3);
  CHECK_THROWS_WITH_AS(Ema<float>(two, 1), "eigan::Ema: decay must be in [0, 1), is 1", std::invalid_argument);
  CHECK_THROWS_AS(Ema<float>(two, -0.1), std::invalid_argument);
  CHECK_THROWS_AS(Ema<float>(two, std::nan("")), std::invalid_argument);
  Ema<float> ema(two);
  CHECK_THROWS_WITH_AS(ema.update(three), "eigan::Ema: expected 2 parameters, got 3", std::invalid_argument);
  CHECK(ema.updates() == 0);
}
