#include <doctest/doctest.h>

#include <eigan/losses/loss.hpp>

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
