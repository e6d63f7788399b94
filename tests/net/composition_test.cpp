#include <doctest/doctest.h>
#include <utility>
#include <vector>

#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/layer_norm.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/composition.hpp>
#include <eigan/net/residual.hpp>
#include <eigan/net/sequential.hpp>

#include "net/own_images.hpp"
#include "net/own_layers.hpp"

using namespace eigan;

static_assert(!Composition<Tanh> && !Composition<Linear<2, 3>> && Composition<Sequential<Tanh>>);

// The shape behind a layer, as far as types say.
template <class L, Shape In>
constexpr Shape after = detail::ShapeAfter<L, In>::value;
constexpr Shape unknown = detail::unknown_shape;
static_assert(after<Tanh, Shape{3}> == Shape{3} && after<Tanh, unknown> == unknown);
static_assert(after<Tanh, Shape{3, 4, 5}> == Shape{3, 4, 5});
static_assert(after<Linear<3, 2>, Shape{3}> == Shape{2} && after<Linear<3, 2>, unknown> == Shape{2});
static_assert(after<Linear<>, Shape{3}> == unknown && after<Linear<dynamic, 2>, unknown> == Shape{2});
static_assert(after<own::Gain, Shape{3}> == unknown);
static_assert(after<own::Pointwise<2, 5>, Shape{2, 4, 4}> == Shape{5, 4, 4});
static_assert(after<own::Pointwise<2, 5>, unknown> == unknown);
static_assert(after<BatchNorm2d<2>, Shape{2, 4, 4}> == Shape{2, 4, 4});

static_assert(detail::is_stochastic<Dropout>() && !detail::is_stochastic<Tanh>());
static_assert(detail::is_stochastic<Sequential<Tanh, Dropout>>() && !detail::is_stochastic<Sequential<Tanh>>());
static_assert(detail::is_input<Input<3>> && detail::is_input<Inputs<Input<3>>> && !detail::is_input<Tanh>);

// What is checked of a layer that knows images is what stands in the network.
static_assert(std::is_same_v<detail::PlacedLayer<own::Halve>::type, own::placed::Resized>);
static_assert(std::is_same_v<detail::PlacedLayer<Tanh>::type, Tanh>);

TEST_CASE("input_shapes_of: what a layer's own sizes say") {
  using Shapes = std::vector<Shape>;
  CHECK(detail::input_shapes_of(Linear<>(3, 2)) == Shapes{{3}});
  CHECK(detail::input_shapes_of(own::Gain{4}) == Shapes{{4}});
  CHECK(detail::input_shapes_of(Tanh()).empty());
  CHECK(detail::input_shapes_of(own::Pointwise<2, 5>()) == Shapes{Shape{}});  // any height and width
  CHECK(detail::input_shapes_of(LayerNorm<3, 4, 5>()) == Shapes{Shape{}});    // 60 numbers, but no vector
  CHECK(detail::input_shapes_of(Input<3, 4, 5>()) == Shapes{{3, 4, 5}});
  CHECK(detail::input_shapes_of(Sequential<Tanh, Linear<3, 2>>()) == Shapes{{3}});
  CHECK(detail::input_shapes_of(Sequential<Inputs<Input<3>, Input<4>>, Linear<7, 2>>()) == Shapes{{3}, {4}});
}

TEST_CASE("append: a layer under its name, a composition's layers behind it") {
  Steps<float> net({Shape{3}});
  CHECK(detail::append(net, Linear<3, 3>(), 0, "a") == 1);
  CHECK(detail::append(net, Residual<Tanh>(), 1, "b") == 3);
  CHECK(net.steps()[0].name == "a");
  CHECK(net.steps()[1].name == "b.body.0");
  CHECK(net.steps()[2].name == "b.sum");
}

TEST_CASE("spec_of_any: of a layer, of a composition") {
  CHECK(detail::spec_of_any(Tanh()).text() == "Tanh()");
  CHECK(detail::spec_of_any(Residual<Tanh>()).text() == "Residual(Tanh())");
}
