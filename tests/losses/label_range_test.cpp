#include <doctest/doctest.h>
#include <cstdint>
#include <list>
#include <span>
#include <stdexcept>
#include <vector>

#include <eigan/losses/label_range.hpp>

using namespace eigan;

static_assert(LabelRange<std::vector<std::uint8_t>> && LabelRange<std::span<const int>> &&
              LabelRange<std::vector<char>>);
static_assert(!LabelRange<std::vector<float>> && !LabelRange<std::list<int>> && !LabelRange<int>);

TEST_CASE("labels: a class number of any type is one from 0 on") {
  const std::vector<std::int8_t> labels{0, 4, -1, 5};
  const std::span all(labels);
  CHECK(detail::checked_label("f", all, 1, 5) == 4);
  CHECK_THROWS_WITH_AS(detail::checked_label("f", all, 2, 5),
                       "eigan::f: sample 2: expected a label from 0 to 4, found -1", std::invalid_argument);
  CHECK_THROWS_WITH_AS(detail::checked_label("f", all, 3, 5),
                       "eigan::f: sample 3: expected a label from 0 to 4, found 5", std::invalid_argument);
}
