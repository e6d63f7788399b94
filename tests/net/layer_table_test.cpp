#include <doctest/doctest.h>
#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/conv2d.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/spectral_norm.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/layer_table.hpp>

#include "net/own_images.hpp"
#include "net/own_layers.hpp"
#include "support.hpp"

using namespace eigan;

namespace {

template <class T>
struct Memory {
  Matrix<T> x, y, dy, dx, tx, ty;
  std::vector<T> p, q, s, dp;
};
template <class T>
bool same(const Memory<T>& a, const Memory<T>& b) {
  const auto vectors = [](const std::vector<T>& u, const std::vector<T>& v) {
    return support::same_bits<T>(std::span<const T>(u), std::span<const T>(v));
  };
  return support::same_bits(a.y, b.y) && support::same_bits(a.dx, b.dx) && support::same_bits(a.ty, b.ty) &&
         vectors(a.p, b.p) && vectors(a.q, b.q) && vectors(a.s, b.s) && vectors(a.dp, b.dp);
}

/// Every function of the layer, called through the table and not, must write the same bits.
template <class T, class L>
void check_same(const L& layer, Index in = 48) {
  INFO(detail::spec_of(layer).text());
  using Functions = detail::LayerFunctions<L, T>;
  const detail::LayerTable<T>& table = Functions::table;
  const void* const l = &layer;
  const auto size = [](Index n) { return static_cast<std::size_t>(n); };
  const Index out = detail::output_of(layer, in), batch = 5;
  Memory<T> a{support::random_matrix<T>(in, batch, 1),
              Matrix<T>::Zero(out, batch),
              support::random_matrix<T>(out, batch, 2),
              Matrix<T>::Zero(in, batch),
              support::random_matrix<T>(in, batch, 3),
              Matrix<T>::Zero(out, batch),
              support::random_values<T>(size(table.param_size(l)), 4, 0.1, 2),
              std::vector<T>(size(table.prepared_size(l))),
              support::random_values<T>(size(table.state_size(l)), 5, 0.5, 2),
              support::random_values<T>(size(table.param_size(l)), 6)};
  Memory<T> b = a;
  using C = ConstView<T>;
  using V = View<T>;
  const auto p = [](const Memory<T>& m) { return Prepared<T>{std::span<const T>(m.p), std::span<const T>(m.q)}; };
  const auto direct = [&] { return Functions::params(p(a)); };
  const Draw draw{Rng(5), 3};

  CHECK(table.param_size(l) == detail::param_size_of(layer));
  CHECK(table.spec(l) == detail::spec_of(layer));
  CHECK(table.parameters(l).size() == detail::parameters_of(layer).size());
  CHECK(table.traits.elementwise == ElementwiseLayer<L>);
  CHECK(table.traits.reads_x == detail::backward_reads_x<L>());
  CHECK(table.traits.reads_y == detail::backward_reads_y<L>());
  CHECK(table.traits.tangent == TangentLayer<L, T>);

  if constexpr (StatefulLayer<L, T>) {
    layer.init_state(std::span<T>(a.s)), table.init_state(l, std::span<T>(b.s));
    CHECK(same(a, b));
    CHECK(table.states(l).size() == layer.states().size());
  }
  if constexpr (StatisticsLayer<L, T>) {
    CHECK(table.traits.statistics);
    layer.update_statistics(std::span<T>(a.s), C(a.x), 0.25),
        table.update_state(l, std::span<const T>(b.p), std::span<T>(b.s), C(b.x), 0.25);
    layer.merge_statistics(std::span<T>(a.s), C(a.tx), 7), table.merge_statistics(l, std::span<T>(b.s), C(b.tx), 7);
    CHECK(same(a, b));
  }
  if constexpr (requires { layer.update_state(std::span<const T>(a.p), std::span<T>(a.s)); }) {
    layer.update_state(std::span<const T>(a.p), std::span<T>(a.s));
    table.update_state(l, std::span<const T>(b.p), std::span<T>(b.s), C(b.x), 0.25);
    CHECK(same(a, b));
  }
  for (const Phase phase : {Phase::training, Phase::inference}) {
    if constexpr (PreparedLayer<L, T>)
      layer.prepare(std::span<const T>(a.p), std::span<const T>(a.s), std::span<T>(a.q), phase);
    table.prepare(l, std::span<const T>(b.p), std::span<const T>(b.s), std::span<T>(b.q), phase);
    CHECK(same(a, b));
  }
  layer.forward(direct(), C(a.x), V(a.y)), table.forward(l, p(b), C(b.x), V(b.y));
  CHECK(same(a, b));
  if constexpr (StochasticLayer<L, T>) {
    CHECK(table.traits.stochastic);
    layer.forward_train(direct(), C(a.x), V(a.y), draw);
    layer.backward_input_train(direct(), C(a.x), C(a.y), C(a.dy), V(a.dx), draw);
  } else {
    layer.backward_input(direct(), C(a.x), C(a.y), C(a.dy), V(a.dx));
  }
  table.forward_train(l, p(b), C(b.x), V(b.y), draw);
  table.backward_input(l, p(b), C(b.x), C(b.y), C(b.dy), V(b.dx), draw);
  CHECK(same(a, b));
  const Index parts = table.part_count(l);
  if constexpr (PartedLayer<L, T>) {
    CHECK(parts == layer.part_count());
    for (const Index first : {Index{0}, parts / 2}) {
      const Index last = first == 0 ? parts / 2 : parts;
      if (first == last) continue;
      layer.forward_parts(direct(), C(a.x), V(a.y), first, last);
      layer.backward_input_parts(direct(), C(a.x), C(a.y), C(a.dy), V(a.dx), first, last);
      table.forward_parts(l, p(b), C(b.x), V(b.y), first, last);
      table.backward_input_parts(l, p(b), C(b.x), C(b.y), C(b.dy), V(b.dx), first, last);
    }
  } else {
    CHECK(parts == 1);
    layer.forward(direct(), C(a.x), V(a.y)), table.forward_parts(l, p(b), C(b.x), V(b.y), 0, 1);
    layer.backward_input(direct(), C(a.x), C(a.y), C(a.dy), V(a.dx));
    table.backward_input_parts(l, p(b), C(b.x), C(b.y), C(b.dy), V(b.dx), 0, 1);
  }
  CHECK(same(a, b));
  const Index blocks = table.block_count(l);
  if constexpr (ParametricLayer<L, T>) {
    layer.init(std::span<T>(a.p), Rng(6)), table.init(l, std::span<T>(b.p), Rng(6));
    layer.backward_params(direct(), C(a.x), C(a.y), C(a.dy), std::span<T>(a.dp));
    table.backward_params(l, p(b), C(b.x), C(b.y), C(b.dy), std::span<T>(b.dp), 0, blocks);
    CHECK(same(a, b));
    CHECK(table.block_range(l, 0).first == 0);
    CHECK(table.block_range(l, blocks - 1).second == table.param_size(l));
  } else {
    CHECK(blocks == 0);
  }
  if constexpr (TangentLayer<L, T>) {
    if constexpr (!ElementwiseLayer<L>)
      layer.forward_tangent(direct(), C(a.x), C(a.y), C(a.tx), V(a.ty));
    else if constexpr (StochasticLayer<L, T>)
      layer.backward_input_train(direct(), C(a.x), C(a.y), C(a.tx), V(a.ty), draw);
    else
      layer.backward_input(direct(), C(a.x), C(a.y), C(a.tx), V(a.ty));
    table.forward_tangent(l, p(b), C(b.x), C(b.y), C(b.tx), V(b.ty), draw);
    CHECK(same(a, b));
    if constexpr (Functions::curved) {
      CHECK(table.traits.curved);
      layer.add_curvature(direct(), C(a.x), C(a.y), C(a.tx), C(a.dy), V(a.dx));
    }
    table.add_curvature(l, p(b), C(b.x), C(b.y), C(b.tx), C(b.dy), V(b.dx));
    if constexpr (ParametricLayer<L, T>)
      layer.backward_params_tangent(direct(), C(a.x), C(a.y), C(a.tx), C(a.dy), std::span<T>(a.dp));
    table.backward_params_tangent(l, p(b), C(b.x), C(b.y), C(b.tx), C(b.dy), std::span<T>(b.dp));
    CHECK(same(a, b));
  }
}

}  // namespace

TEST_CASE_TEMPLATE("LayerTable: does what the layer does", T, float, double) {
  check_same<T>(Linear<>(48, 40));
  check_same<T>(Linear<48, 300>());
  check_same<T>(BatchNorm1d<>(48, 0.1).at({48}));
  check_same<T>(BatchNorm2d<4>().at({4, 3, 4}));
  check_same<T>(Conv2d<3, 5, 3, 1, 1>().at({3, 4, 4}));
  check_same<T>(SpectralNorm<Linear<48, 40>>().at({48}));
  check_same<T>(Tanh());
  check_same<T>(Dropout(0.4));
  check_same<T>(own::Square{0.75});
  check_same<T>(own::Negate());
  check_same<T>(own::Scale{48});
  check_same<T>(own::Gain{48});
  check_same<T>(own::ExpGain{48});
  check_same<T>(own::Pointwise<3, 5>().at({3, 4, 4}));
  check_same<T>(own::Halve().at({3, 4, 4}));
}

TEST_CASE("LayerTable: a layer that does not say what it costs costs two operations a parameter") {
  const own::Gain gain{7};
  CHECK(detail::LayerFunctions<own::Gain, float>::table.operations(&gain) == 14);
  CHECK(detail::LayerFunctions<Tanh, float>::table.operations(&gain) == 0);
  const auto pointwise = own::Pointwise<2, 3>().at({2, 2, 2});
  CHECK(detail::LayerFunctions<own::placed::Pointwise, float>::table.operations(&pointwise) == 2e4 * 24);
  CHECK(detail::LayerFunctions<own::placed::Pointwise, float>::table.gradient_splits(&pointwise, 3) == 3);
  CHECK(detail::LayerFunctions<own::Gain, float>::table.gradient_splits(&gain, 3) == 1);
}
