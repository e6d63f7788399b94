#include <doctest/doctest.h>
#include <cmath>
#include <stdexcept>
#include <vector>

#include <eigan/losses/soft_targets.hpp>

using namespace eigan;

TEST_CASE("soft_targets: worked by hand") {
  const std::vector<int> labels{1, 3};
  Matrix<double> target(4, 2);
  soft_targets(labels, 0.2, View<double>(target));
  CHECK(target.isApprox(Matrix<double>{{0.05, 0.05}, {0.85, 0.05}, {0.05, 0.05}, {0.05, 0.85}}, 1e-15));
  soft_targets(labels, 0, View<double>(target));
  CHECK(target == Matrix<double>{{0, 0}, {1, 0}, {0, 0}, {0, 1}});
}

TEST_CASE("soft_targets: labels must be classes, one a sample, and the smoothing a share") {
  Matrix<float> target(4, 2);
  const View<float> view(target);
  CHECK_THROWS_WITH_AS(soft_targets(std::vector<int>{1}, 0.1, view), "eigan::soft_targets: expected 2 labels, got 1",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(soft_targets(std::vector<int>{1, 4}, 0.1, view),
                       "eigan::soft_targets: sample 1: expected a label from 0 to 3, found 4", std::invalid_argument);
  CHECK_THROWS_WITH_AS(soft_targets(std::vector<int>{1, 2}, 1.5, view),
                       "eigan::soft_targets: smoothing must be in [0, 1], is 1.5", std::invalid_argument);
  CHECK_THROWS_AS(soft_targets(std::vector<int>{1, 2}, std::nan(""), view), std::invalid_argument);
}
