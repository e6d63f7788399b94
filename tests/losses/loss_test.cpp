#include <doctest/doctest.h>

#include <eigan/losses/loss.hpp>

#include "losses/loss_support.hpp"

using namespace eigan;

TEST_CASE("losses: shapes must be equal, and a mean over nothing is refused") {
  const Matrix<float> a(2, 3), b(3, 2), wide(2, 4), empty(2, 0);
  CHECK_NOTHROW(detail::check_loss_shapes("mse", a, a));
  CHECK_THROWS_WITH_AS(detail::check_loss_shapes("mse", a, b),
                       "eigan::mse: shapes must be equal and not empty, are 2 x 3 and 3 x 2", std::invalid_argument);
  CHECK_THROWS_AS(detail::check_loss_shapes("mse", a, wide), std::invalid_argument);
  CHECK_THROWS_WITH_AS(detail::check_loss_shapes("bce", empty, empty),
                       "eigan::bce: shapes must be equal and not empty, are 2 x 0 and 2 x 0", std::invalid_argument);
}

TEST_CASE("losses: without a place for the gradient they return the same") {
  int count = 0;
  losses::for_each([&](const char* name, const auto& loss) {
    INFO(name);
    Matrix<double> dy(4, 5);
    CHECK(loss({0, 1, 2, 3, 4}) == loss({0, 1, 2, 3, 4}, View<double>(dy)));
    CHECK(dy.squaredNorm() > 0);
    ++count;
  });
  CHECK(count == 9);
  const auto mu = support::random_matrix<double>(3, 4, 1), logvar = support::random_matrix<double>(3, 4, 2);
  Matrix<double> dmu(3, 4), dlogvar(3, 4);
  CHECK(kl_divergence<double>(mu, logvar) == kl_divergence<double>(mu, logvar, View<double>(dmu), dlogvar));
  const Matrix<double> empty(3, 0);
  CHECK_THROWS_AS(mse<double>(empty, empty), std::invalid_argument);
  CHECK_THROWS_WITH_AS(bce<double>(empty, 1.0), "eigan::bce: the batch is empty, 3 x 0", std::invalid_argument);
}
