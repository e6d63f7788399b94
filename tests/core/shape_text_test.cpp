#include <doctest/doctest.h>

#include <eigan/core/shape_text.hpp>

TEST_CASE("shape_text: a vector is its length") {
  CHECK(eigan::shape_text({5}) == "5");
  CHECK(eigan::shape_text({3, 4, 6}) == "3 x 4 x 6");
  CHECK(eigan::shape_text({3, 1, 6}) == "3 x 1 x 6");
}
