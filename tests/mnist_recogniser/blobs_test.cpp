#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "mnist_recogniser/blobs.hpp"

using namespace mnist_recogniser;

namespace {

/// '#' is ink, '+' ink as strong as the threshold, which is none.
Ink drawn(const std::vector<std::string>& lines) {
  Ink ink{eigan::Matrix<float>::Zero(static_cast<Index>(lines.size()), static_cast<Index>(lines[0].size())), 0.5f};
  for (Index row = 0; row < ink.strength.rows(); ++row)
    for (Index col = 0; col < ink.strength.cols(); ++col) {
      const char c = lines[static_cast<std::size_t>(row)][static_cast<std::size_t>(col)];
      ink.strength(row, col) = c == '#' ? 1.0f : c == '+' ? 0.5f : 0.0f;
    }
  return ink;
}

void check_range(const Range& range, Index first, Index last) {
  CHECK(range.first == first);
  CHECK(range.last == last);
}

}  // namespace

TEST_CASE("find_blobs: corners hang together, pixels at the threshold belong to the ground") {
  const Blobs blobs = find_blobs(drawn({"#....",  //
                                        ".#.##",  //
                                        "+..#.",  //
                                        "....."}));
  REQUIRE(blobs.all.size() == 2);
  CHECK(blobs.all[0].pixels == 2);
  check_range(blobs.all[0].box.rows, 0, 2);
  check_range(blobs.all[0].box.cols, 0, 2);
  CHECK(blobs.all[1].pixels == 3);
  check_range(blobs.all[1].box.rows, 1, 3);
  check_range(blobs.all[1].box.cols, 3, 5);
  CHECK(blobs.owner(0, 0) == 0);
  CHECK(blobs.owner(1, 1) == 0);
  CHECK(blobs.owner(2, 3) == 1);
  CHECK(blobs.owner(2, 0) == -1);
  CHECK(blobs.owner(3, 4) == -1);
}

TEST_CASE("find_blobs: a ring is one blob whose box holds the one inside it") {
  const Blobs blobs = find_blobs(drawn({"#####",  //
                                        "#...#",  //
                                        "#.#.#",  //
                                        "#...#",  //
                                        "#####"}));
  REQUIRE(blobs.all.size() == 2);
  CHECK(blobs.all[0].pixels == 16);
  CHECK(blobs.all[1].pixels == 1);
  CHECK(blobs.all[1].box.rows.lies_in(blobs.all[0].box.rows));
  CHECK(blobs.all[1].box.cols.lies_in(blobs.all[0].box.cols));
  CHECK_FALSE(blobs.all[0].box.rows.lies_in(blobs.all[1].box.rows));
  CHECK(blobs.all[0].box.longest() == 5);
}

TEST_CASE("find_blobs: nothing but ground has no blobs") {
  const Blobs blobs = find_blobs(drawn({"..+", "..."}));
  CHECK(blobs.all.empty());
  CHECK((blobs.owner.array() == -1).all());
}

TEST_CASE("Range: an empty one takes what it includes, others grow both ways") {
  Range range;
  range.include(4);
  check_range(range, 4, 5);
  range.include(Range{7, 9});
  check_range(range, 4, 9);
  range.include(1);
  check_range(range, 1, 9);
  CHECK(range.size() == 8);
}
