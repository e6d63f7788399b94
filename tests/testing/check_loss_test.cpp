#include <eigan/testing/check_loss.hpp>

#include "testing/right_layers.hpp"

using namespace faults;

TEST_CASE("check_loss: a wrong gradient is caught, and so is a write outside") {
  const auto half = [](C y, V dy) {
    dy = y / static_cast<double>(y.size());
    return y.squaredNorm() / (2 * static_cast<double>(y.size()));
  };
  CHECK(testing::check_loss(half, 3, 4).ok());
  CHECK(testing::check_loss(half, 3, 4).compared() == 12);
  CHECK(reports(testing::check_loss(
                    [&](C y, V dy) {
                      const double value = half(y, dy);
                      dy *= 2;
                      return value;
                    },
                    3, 4),
                "dy element 0, batch 4: backward gives"));
  CHECK(reports(testing::check_loss(
                    [&](C y, V dy) {
                      const double value = half(y, dy);
                      dy(2, 3) += 1e-3;
                      return value;
                    },
                    3, 4),
                "dy element 11"));
  CHECK(reports(testing::check_loss(
                    [&](C y, V dy) {
                      const double value = half(y, dy);
                      dy.data()[dy.rows()] = 0;
                      return value;
                    },
                    3, 4),
                "loss: writes outside dy"));
}
