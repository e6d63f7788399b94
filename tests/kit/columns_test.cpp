#include <doctest/doctest.h>

#include <vector>

#include "kit/columns.hpp"

TEST_CASE("Columns: means are those of what was added, and 0 before") {
  const kit::Columns columns{{.name = "a"}, {.name = "b"}};
  kit::Means means(columns);
  CHECK(means.count() == 0);
  CHECK(means[1] == 0);
  means.add(std::vector<double>{1, -2});
  means.add(std::vector<double>{2, 7});
  CHECK(means.count() == 2);
  CHECK(means.all() == std::vector<double>{1.5, 2.5});
  means.clear();
  CHECK(means.count() == 0);
  CHECK(means.all() == std::vector<double>{0, 0});
}
