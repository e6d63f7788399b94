#include <doctest/doctest.h>
#include <vector>

#include <eigan/core/layer_defaults.hpp>

using namespace eigan;

namespace {

struct Silent {
  static constexpr bool elementwise = true;
};
struct ReadsNothing : Silent {
  static constexpr bool backward_reads_x = false, backward_reads_y = false;
};
static_assert(detail::backward_reads_x<Silent>() && detail::backward_reads_y<Silent>());
static_assert(!detail::backward_reads_x<ReadsNothing>() && !detail::backward_reads_y<ReadsNothing>());

struct Sized {
  static constexpr Index input = 2, output = 3;
  Index param_size() const { return 4; }
};

struct RunTimeSized {
  static constexpr Index input = dynamic;
  [[maybe_unused]] static constexpr Index output = dynamic;
  Index input_size() const { return 7; }
  Index output_size() const { return 5; }
  Index param_size() const { return 35; }
  Spec spec() const { return {"RunTimeSized", {{"in", 7}, {"out", 5}}}; }
  std::vector<Parameter> parameters() const { return {{"weight", 0, 5, 7, 2}}; }
};

struct Pooling {
  constexpr Shape output_shape(Shape in) const {
    return in.height % 2 == 0 && in.width % 2 == 0 ? Shape{in.channels, in.height / 2, in.width / 2} : Shape{};
  }
  Silent at(Shape) const { return {}; }
};

}  // namespace

TEST_CASE("Layer: sizes come from the type, from the value, or from the layer before") {
  CHECK(detail::input_of(RunTimeSized{}) == 7);
  CHECK(detail::output_of(RunTimeSized{}, 7) == 5);
  CHECK(detail::input_of(Sized{}) == 2);
  CHECK(detail::output_of(Sized{}, 2) == 3);
  CHECK(detail::input_of(Silent{}) == dynamic);
  CHECK(detail::output_of(Silent{}, 6) == 6);
}

TEST_CASE("Layer: the shape that comes out, or none where the layer does not take what goes in") {
  CHECK(detail::output_shape_of(Silent{}, {3, 4, 5}) == Shape{3, 4, 5});
  CHECK(detail::output_shape_of(Sized{}, {2}) == Shape{3});
  CHECK_FALSE(detail::output_shape_of(Sized{}, {3}));
  CHECK_FALSE(detail::output_shape_of(Sized{}, {2, 4, 4}));
  CHECK(detail::output_shape_of(RunTimeSized{}, {7}) == Shape{5});
  CHECK(detail::output_shape_of(Pooling{}, {3, 4, 6}) == Shape{3, 2, 3});
  CHECK_FALSE(detail::output_shape_of(Pooling{}, {3, 4, 5}));
}

TEST_CASE("Layer: what a layer does not say has a default") {
  CHECK(detail::spec_of(Silent{}).text() == "Layer()");
  CHECK(detail::spec_of(RunTimeSized{}).text() == "RunTimeSized(in=7, out=5)");
  CHECK(detail::param_size_of(Silent{}) == 0);
  CHECK(detail::parameters_of(Silent{}).empty());

  const auto unnamed = detail::parameters_of(Sized{});
  REQUIRE(unnamed.size() == 1);
  CHECK(unnamed[0].name == "params");
  CHECK(unnamed[0].offset == 0);
  CHECK(unnamed[0].size() == 4);
  CHECK(unnamed[0].rank == 1);

  const auto named = detail::parameters_of(RunTimeSized{});
  REQUIRE(named.size() == 1);
  CHECK(named[0].name == "weight");
  CHECK(named[0].size() == 35);
}
