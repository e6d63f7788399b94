#include <limits>

#include "testing/right_layers.hpp"

using namespace eigan;

TEST_CASE("Report: derivatives agree within an absolute and a relative part") {
  const testing::CheckOptions o{.absolute = 1e-3, .relative = 1e-2};
  CHECK(o.agree(1, 1.01));
  CHECK_FALSE(o.agree(1, 1.013));
  CHECK(o.agree(0, 1e-3));
  CHECK_FALSE(o.agree(0, 1.1e-3));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(o.agree(nan, 1));
  CHECK_FALSE(o.agree(1, nan));
}

TEST_CASE("Report: names the element, both numbers and where they come from") {
  testing::Report report;
  report.compare(1, 1, {}, "dx", 3, ", batch 2");
  CHECK(report.ok());
  report.compare(1, 1.5, {}, "dx", 3, ", batch 2");
  report.compare(2, 1, {}, "ty", 0, "", "forward_tangent");
  CHECK(report.compared() == 3);
  CHECK(report.worst() == 1);
  CHECK(report.text() ==
        "dx element 3, batch 2: backward gives 1, central difference 1.5\n"
        "ty element 0: forward_tangent gives 2, central difference 1\n");
}

TEST_CASE("Report: a long one is cut") {
  testing::Report report;
  for (int i = 0; i < 13; ++i) report.fail("fault ", i);
  CHECK(std::ranges::count(report.text(), '\n') == 11);
  CHECK(report.text().ends_with("fault 9\n... and 3 more\n"));
  CHECK(report.failures().size() == 13);
}
