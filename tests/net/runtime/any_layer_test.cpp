#include <doctest/doctest.h>
#include <string>
#include <type_traits>
#include <vector>

#include <eigan/layers/conv2d.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/residual.hpp>
#include <eigan/net/runtime/any_layer.hpp>

#include "net/own_images.hpp"
#include "net/own_layers.hpp"

using namespace eigan;

namespace {

struct OnlyFloat {
  static constexpr bool elementwise = true;
  void forward(std::span<const float>, ConstView<float> x, View<float> y) const { y = x; }
  void backward_input(std::span<const float>, ConstView<float>, ConstView<float>, ConstView<float> dy,
                      View<float> dx) const {
    dx = dy;
  }
};
static_assert(std::is_convertible_v<Tanh, AnyLayer> && std::is_convertible_v<Residual<Tanh>, AnyLayer>);
static_assert(std::is_convertible_v<own::Halve, AnyLayer> && !std::is_convertible_v<OnlyFloat, AnyLayer>);
static_assert(!std::is_convertible_v<int, AnyLayer>);

/// Held or not, the same steps are appended.
template <class T, class L>
void check_appends(const L& layer, Shape in) {
  Steps<T> held({in}), plain({in});
  const std::size_t level = AnyLayer(layer).append(held, 0, "3"), same = detail::append(plain, layer, 0, "3");
  INFO(AnyLayer(layer).spec().text());
  CHECK(level == same);
  CHECK(detail::same_layout(held, plain));
  REQUIRE(held.steps().size() == plain.steps().size());
  for (std::size_t s = 0; s < held.steps().size(); ++s) {
    CHECK(held.steps()[s].name == plain.steps()[s].name);
    CHECK(held.steps()[s].table == plain.steps()[s].table);  // the same functions, so the same bits
  }
}

}  // namespace

TEST_CASE_TEMPLATE("AnyLayer: appends what the layer that it holds appends", T, float, double) {
  check_appends<T>(Linear<>(70, 40), {70});
  check_appends<T>(Linear<70, 30>(), {70});
  check_appends<T>(Conv2d<3, 5, 3>(), {3, 6, 8});
  check_appends<T>(Dropout(0.4), {70});
  check_appends<T>(own::Square{0.75}, {70});
  check_appends<T>(own::Gain{70}, {70});
  check_appends<T>(own::Pointwise<2, 3>(), {2, 4, 4});
  check_appends<T>(Residual<Tanh, Linear<70, 70>>(), {70});
  check_appends<T>(Input<2, 4, 4>(), {2, 4, 4});
}

TEST_CASE("AnyLayer: what it says of its shapes") {
  CHECK(AnyLayer(Linear<>(3, 2)).input_shapes() == std::vector<Shape>{{3}});
  CHECK(AnyLayer(own::Gain{4}).input_shapes() == std::vector<Shape>{{4}});
  CHECK(AnyLayer(Tanh()).input_shapes().empty());
  CHECK(AnyLayer(own::Halve()).input_shapes() == std::vector{Shape{}});
  CHECK(AnyLayer(Input<2, 4, 6>()).input_shapes() == std::vector<Shape>{{2, 4, 6}});
  CHECK(AnyLayer(Input<2, 4, 6>()).is_input());
  CHECK(AnyLayer(Inputs<Input<2>, Input<3>>()).is_input());
  CHECK_FALSE(AnyLayer(Linear<>(3, 2)).is_input());
}

TEST_CASE("AnyLayer: a copy is the same layer") {
  AnyLayer layer(own::Square{3});
  const AnyLayer copy = layer;
  layer = AnyLayer(Tanh{});
  CHECK(layer.spec().text() == "Tanh()");
  CHECK(copy.spec().text() == "Square(scale=3)");
  CHECK(copy.spec().header == "net/own_layers.hpp");
}
