#include <doctest/doctest.h>
#include <string>
#include <vector>

#include <eigan/layers/dropout.hpp>
#include <eigan/net/any_layer.hpp>

#include "io/support.hpp"
#include "net/own_layers.hpp"
#include "support.hpp"

using namespace eigan;

namespace {

template <class T>
struct Level {
  Matrix<T> x, y, dy, dx;
  std::vector<T> p, dp;
};

/// Every function of the layer, held and not held, must write the same bits.
template <class T, class L>
void check_same(const L& layer) {
  INFO(detail::describe(layer));
  const AnyLayer any(layer);
  const Index in = 70, out = detail::output_of(layer, in), batch = 5;
  const auto size = static_cast<std::size_t>(detail::param_size_of(layer));
  Level<T> a{support::random_matrix<T>(in, batch, 1),    Matrix<T>::Zero(out, batch),
             support::random_matrix<T>(out, batch, 2),   Matrix<T>::Zero(in, batch),
             support::random_values<T>(size, 3, 0.1, 2), support::random_values<T>(size, 4)};
  Level<T> b = a;
  const auto same = [&] {
    return support::same_bits<T>(a.y, b.y) && support::same_bits<T>(a.dx, b.dx) &&
           support::same_bits<T>(std::span<const T>(a.dp), std::span<const T>(b.dp)) &&
           support::same_bits<T>(std::span<const T>(a.p), std::span<const T>(b.p));
  };
  using P = std::span<const T>;
  using C = ConstView<T>;
  using V = View<T>;
  const Draw draw{Rng(5), 3};

  CHECK(any.traits() == detail::static_traits<L, T>);
  CHECK(any.input_size() == detail::input_of(layer));
  CHECK(any.output_size(in) == out);
  CHECK(any.param_size() == detail::param_size_of(layer));
  CHECK(any.trained_size() == detail::trained_size_of(layer));
  CHECK(any.describe() == detail::describe(layer));
  CHECK(any.parameters().size() == detail::parameters_of(layer).size());

  layer.forward(P(a.p), C(a.x), V(a.y)), any.forward(P(b.p), C(b.x), V(b.y));
  CHECK(same());
  layer.backward_input(P(a.p), C(a.x), C(a.y), C(a.dy), V(a.dx));
  any.backward_input(P(b.p), C(b.x), C(b.y), C(b.dy), V(b.dx));
  CHECK(same());
  if constexpr (StochasticLayer<L, T>) {
    layer.forward_train(P(a.p), C(a.x), V(a.y), draw);
    layer.backward_input_train(P(a.p), C(a.x), C(a.y), C(a.dy), V(a.dx), draw);
  }
  any.forward_train(P(b.p), C(b.x), V(b.y), draw);
  any.backward_input_train(P(b.p), C(b.x), C(b.y), C(b.dy), V(b.dx), draw);
  CHECK(same());
  if constexpr (BatchCoupledLayer<L, T>) {
    REQUIRE(any.part_count() == layer.part_count());
    for (Index part = 0; part < layer.part_count(); ++part) {
      layer.forward_part(P(a.p), C(a.x), V(a.y), part);
      layer.backward_input_part(P(a.p), C(a.x), C(a.y), C(a.dy), V(a.dx), part);
      any.forward_part(P(b.p), C(b.x), V(b.y), part);
      any.backward_input_part(P(b.p), C(b.x), C(b.y), C(b.dy), V(b.dx), part);
    }
    layer.set_statistics(std::span<T>(a.p), C(a.x));
    any.set_statistics(std::span<T>(b.p), C(b.x));
    CHECK(same());
  }
  if constexpr (ParametricLayer<L, T>) {
    layer.init(std::span<T>(a.p), Rng(6)), any.init(std::span<T>(b.p), Rng(6));
    layer.backward_params(P(a.p), C(a.x), C(a.y), C(a.dy), std::span<T>(a.dp));
    any.backward_params(P(b.p), C(b.x), C(b.y), C(b.dy), std::span<T>(b.dp));
    CHECK(same());
    CHECK(any.block_range(0).first == 0);
    CHECK(any.block_range(any.block_count() - 1).second == any.trained_size());
  } else {
    CHECK(any.block_count() == 0);
  }
}

}  // namespace

TEST_CASE_TEMPLATE("AnyLayer: does what the layer that it holds does", T, float, double) {
  check_same<T>(Linear<>(70, 40));
  check_same<T>(Linear<70, 300>());
  check_same<T>(BatchNorm1d<>(70, 0.1));
  check_same<T>(BatchNorm1d<70>());
  check_same<T>(ReLU());
  check_same<T>(LeakyReLU(0.3));
  check_same<T>(Tanh());
  check_same<T>(Sigmoid());
  check_same<T>(Dropout(0.4));
  check_same<T>(own::Square{0.75});
  check_same<T>(own::Gain{70});
}

TEST_CASE("AnyLayer: a copy is the same layer") {
  AnyLayer layer(own::Square{3});
  const AnyLayer copy = layer;
  layer = AnyLayer(Tanh{});
  CHECK(layer.describe() == "Tanh()");
  CHECK(copy.describe() == "Square(scale=3)");
}

TEST_CASE("AnyLayer: C++ source and ONNX, where the layer takes part in them") {
  CHECK(cpp_expression(AnyLayer(LeakyReLU(0.2))).text == "::eigan::LeakyReLU(0.2)");
  CHECK(cpp_expression(AnyLayer(Linear<3, 2>())).text == "::eigan::Linear<>(3, 2)");
  const AnyLayer square(own::Square{3});
  CHECK(test::error_text<std::invalid_argument>([&] { cpp_expression(square); }) ==
        "eigan::save_cpp_source: no cpp_expression for the layer Square(scale=3)");
  OnnxGraph<float> graph;
  add_onnx_nodes(graph, AnyLayer(Tanh()), std::span<const float>());
  CHECK(test::contains(graph.model(3, 3), "Tanh"));
  CHECK_THROWS_AS(add_onnx_nodes(graph, square, std::span<const float>()), std::invalid_argument);
}
