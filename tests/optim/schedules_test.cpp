#include <doctest/doctest.h>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <utility>

#include <eigan/optim/schedules.hpp>

using namespace eigan;

TEST_CASE("warmup_cosine: worked by hand") {
  // Four steps up, then a cosine over eight: 60 degrees are 8 / 3 steps, 90 are four.
  CHECK(warmup_cosine(0, 12, 4) == 0.25);
  CHECK(warmup_cosine(1, 12, 4) == 0.5);
  CHECK(warmup_cosine(3, 12, 4) == 1);
  CHECK(warmup_cosine(4, 12, 4) == 1);
  CHECK(warmup_cosine(6, 12, 4) == doctest::Approx((1 + std::sqrt(0.5)) / 2));
  CHECK(warmup_cosine(8, 12, 4) == doctest::Approx(0.5));
  CHECK(warmup_cosine(10, 12, 4) == doctest::Approx((1 - std::sqrt(0.5)) / 2));
  CHECK(warmup_cosine(12, 12, 4) == 0);
  CHECK(warmup_cosine(1000, 12, 4) == 0);
}

TEST_CASE("warmup_cosine: rises to 1, then only falls, and never to 0 before the end") {
  constexpr Index total = 1000, warmup = 50;
  for (Index step = 1; step < total; ++step) {
    const double before = warmup_cosine(step - 1, total, warmup), now = warmup_cosine(step, total, warmup);
    if (step < warmup) REQUIRE(now > before);
    if (step > warmup) REQUIRE(now < before);
    REQUIRE(now > 0);
    REQUIRE(now <= 1);
  }
}

TEST_CASE("warmup_cosine: all of it may warm up, or nothing") {
  CHECK(warmup_cosine(0, 4, 0) == 1);
  CHECK(warmup_cosine(2, 4, 0) == doctest::Approx(0.5));
  CHECK(warmup_cosine(3, 4, 4) == 1);
  CHECK(warmup_cosine(4, 4, 4) == 0);
}

TEST_CASE("warmup_cosine: impossible steps are refused") {
  CHECK_THROWS_WITH_AS(
      warmup_cosine(-1, 10, 2),
      "eigan::warmup_cosine: expected step >= 0 and 0 <= warmup <= total, found step -1, warmup 2 and total 10",
      std::invalid_argument);
  CHECK_THROWS_AS(warmup_cosine(0, 10, 11), std::invalid_argument);
  CHECK_THROWS_AS(warmup_cosine(0, 10, -1), std::invalid_argument);
}

TEST_CASE("linear_decay: falls evenly to 0 and stays there") {
  CHECK(linear_decay(0, 4) == 1);
  CHECK(linear_decay(1, 4) == 0.75);
  CHECK(linear_decay(4, 4) == 0);
  CHECK(linear_decay(5, 4) == 0);
  CHECK_THROWS_WITH_AS(linear_decay(-1, 4), "eigan::linear_decay: expected step >= 0 and total >= 1, found -1 and 4",
                       std::invalid_argument);
  CHECK_THROWS_AS(linear_decay(0, 0), std::invalid_argument);
}

TEST_CASE("cosine_decay: half a cosine from 1 to 0") {
  CHECK(cosine_decay(0, 4) == 1);
  CHECK(cosine_decay(1, 4) == doctest::Approx((1 + std::sqrt(0.5)) / 2));
  CHECK(cosine_decay(2, 4) == doctest::Approx(0.5));
  CHECK(cosine_decay(4, 4) == 0);
  CHECK(cosine_decay(9, 4) == 0);
  CHECK_THROWS_AS(cosine_decay(-1, 4), std::invalid_argument);
  CHECK_THROWS_AS(cosine_decay(0, -4), std::invalid_argument);
}

TEST_CASE("step_decay: falls by a factor each so many steps") {
  for (const auto& [step, factor] : {std::pair<Index, double>{0, 1}, {29, 1}, {30, 0.1}, {59, 0.1}, {60, 0.01}})
    CHECK(step_decay(step, 30) == doctest::Approx(factor));
  CHECK(step_decay(7, 2, 0.5) == 0.125);
  CHECK_THROWS_AS(step_decay(-1, 2), std::invalid_argument);
  CHECK_THROWS_AS(step_decay(1, 0), std::invalid_argument);
  CHECK_THROWS_AS(step_decay(1, 2, 1.5), std::invalid_argument);
  CHECK_THROWS_AS(step_decay(1, 2, std::nan("")), std::invalid_argument);
}

TEST_CASE("one_cycle: worked by hand") {
  // 10 steps, the third is the peak: 1/25, halfway, 1, then down to 1/250000 at the tenth.
  CHECK(one_cycle(0, 10) == doctest::Approx(0.04));
  CHECK(one_cycle(1, 10) == doctest::Approx(0.52));
  CHECK(one_cycle(2, 10) == doctest::Approx(1));
  CHECK(one_cycle(9, 10) == doctest::Approx(0.04 / 1e4));
  CHECK(one_cycle(50, 10) == one_cycle(9, 10));
  for (Index step = 3; step < 10; ++step) CHECK(one_cycle(step, 10) < one_cycle(step - 1, 10));
  CHECK(one_cycle(3, 7, {.pct_start = 0.5, .div_factor = 2, .final_div_factor = 1}) ==
        doctest::Approx(1 + (0.5 - 1) / 2 * (1 - std::cos(std::numbers::pi * 0.5 / 3.5))));
  CHECK_THROWS_AS(one_cycle(-1, 10), std::invalid_argument);
  CHECK_THROWS_AS(one_cycle(0, 3), std::invalid_argument);  // no step for the rise
  CHECK_THROWS_AS(one_cycle(0, 10, {.pct_start = 1}), std::invalid_argument);
  CHECK_THROWS_AS(one_cycle(0, 10, {.div_factor = 0.5}), std::invalid_argument);
  CHECK_THROWS_AS(one_cycle(0, 10, {.final_div_factor = std::nan("")}), std::invalid_argument);
}
