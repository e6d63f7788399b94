#include <doctest/doctest.h>
#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigan/layers/linear.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("Linear: a hand-worked product") {
  // w = [1 2; 3 4; 5 6], b = [10 20 30], x = [1 -1; 2 0.5]
  const Linear<2, 3> layer;
  const std::vector<float> p{1, 3, 5, 2, 4, 6, 10, 20, 30};
  const Matrix<float> x{{1, -1}, {2, 0.5f}};
  Matrix<float> y(3, 2);
  layer.forward<float>(p, x, y);
  CHECK(y == Matrix<float>{{15, 10}, {31, 19}, {47, 28}});

  const Matrix<float> dy{{1, 0}, {0, 1}, {1, 1}};
  Matrix<float> dx(2, 2);
  layer.backward_input<float>(p, x, y, dy, dx);
  CHECK(dx == Matrix<float>{{6, 8}, {8, 10}});

  std::vector<float> dp(9, 100);
  layer.backward_params<float>(p, x, y, dy, dp);
  CHECK(dp == std::vector<float>{101, 99, 100, 102, 100.5f, 102.5f, 101, 101, 102});
}

TEST_CASE("Linear: gradients") {
  for (const Index in : {1, 2, 7, 33, 101})
    for (const Index out : {1, 3, 8, 29, 70}) {
      const auto report = testing::check_gradients(Linear<>(in, out));
      INFO(in, " -> ", out, "\n", report.text());
      CHECK(report.ok());
    }
}

TEST_CASE("Linear: the tangent by hand") {
  // ty = w tx, and the gradient of <dty, ty> with respect to w is dty tx^T; the bias has none.
  const Linear<2, 3> layer;
  const std::vector<float> p{1, 3, 5, 2, 4, 6, 10, 20, 30};
  const Matrix<float> none, tx{{1}, {-1}}, dty{{1}, {2}, {3}};
  Matrix<float> ty(3, 1);
  layer.forward_tangent<float>(p, none, none, tx, ty);
  CHECK(ty == Matrix<float>{{-1}, {-1}, {-1}});
  std::vector<float> dp(9, 100);
  layer.backward_params_tangent<float>(p, none, none, tx, dty, dp);
  CHECK(dp == std::vector<float>{101, 102, 103, 99, 98, 97, 100, 100, 100});
}

template <class T>
static void check_parts_have_the_bits_of_the_whole(Index in, Index out, Index batch) {
  INFO(in, " -> ", out, ", batch ", batch);
  const Linear<> layer(in, out);
  const auto p = support::random_values<T>(static_cast<std::size_t>(layer.param_size()), 1);
  const Matrix<T> x = support::random_matrix<T>(in, batch, 2), dy = support::random_matrix<T>(out, batch, 3);
  Matrix<T> y(out, batch), dx(in, batch), some_y(out, batch), some_dx(in, batch);
  layer.template forward<T>(p, x, y);
  layer.template backward_input<T>(p, x, y, dy, dx);
  for (const Index run : {1, 2, 5}) {
    some_y.setConstant(std::numeric_limits<T>::quiet_NaN());
    some_dx.setConstant(std::numeric_limits<T>::quiet_NaN());
    for (Index part = 0; part < layer.part_count(); part += run) {
      const Index last = std::min(part + run, layer.part_count());
      layer.template forward_parts<T>(p, x, some_y, part, last);
      layer.template backward_input_parts<T>(p, x, y, dy, some_dx, part, last);
    }
    CHECK(support::same_bits(some_y, y));
    CHECK(support::same_bits(some_dx, dx));
  }
}

TEST_CASE_TEMPLATE("Linear: parts have the bits of the whole", T, float, double) {
  for (const auto& [in, out] :
       {std::pair<Index, Index>{3, 5}, {784, 1}, {1, 784}, {300, 257}, {129, 1000}, {1024, 513}})
    for (const Index batch : {1, 2, 7, 33}) check_parts_have_the_bits_of_the_whole<T>(in, out, batch);
  CHECK(Linear<300, 257>{}.part_count() == 4);
  CHECK(Linear<63, 1>{}.part_count() == 1);
}

TEST_CASE("Linear: placed, all sizes are one type; another shape is none that it takes") {
  const Linear<12, 5> layer;
  CHECK(layer.output_shape({12}) == Shape{5});
  CHECK_FALSE(layer.output_shape({3, 2, 2}));
  CHECK_FALSE(layer.output_shape({11}));
  CHECK(layer.expects() == "12 features");
  static_assert(std::is_same_v<decltype(layer.at(Shape{12})), Linear<>>);
  CHECK(layer.at({12}).spec() == layer.spec());
  const auto report = testing::check_gradients(layer, {.shape = {12}});
  INFO(report.text());
  CHECK(report.ok());
}

/// Begins at zero. A network must not place it as a plain Linear<>, which would forget that.
struct Zeros : Linear<12, 5> {
  template <class T>
  void init(std::span<T> p, Rng) const {
    std::fill(p.begin(), p.end(), T(0));
  }
};
static_assert(ShapedLayer<Linear<12, 5>> && !ShapedLayer<Zeros> && ParametricLayer<Zeros> && BlockedLayer<Zeros>);

TEST_CASE("Linear: what derives from it keeps functions of its own") {
  CHECK(detail::output_shape_of(Zeros{}, {12}) == Shape{5});
  CHECK_FALSE(detail::output_shape_of(Zeros{}, {11}));
  const Model<Sequential<Zeros>> model(Rng(1));
  CHECK(std::all_of(model.params().begin(), model.params().end(), [](float p) { return p == 0; }));
}

TEST_CASE("Linear: says what it is and what it costs") {
  const Linear<> layer(784, 128);
  CHECK(layer.spec().text() == "Linear(in_features=784, out_features=128)");
  CHECK(layer.spec().type == "::eigan::Linear<784, 128>");
  CHECK(layer.operations() == 2 * 784 * 128);
}

TEST_CASE("Linear: many blocks of parameters") {
  const auto report = testing::check_gradients(Linear<1500, 20>{}, {.batches = {2}});
  INFO(report.text());
  CHECK(Linear<1500, 20>{}.block_count() > 3);
  CHECK(report.ok());
}

TEST_CASE("Linear: sizes at run time must be positive and agree with the type") {
  CHECK_THROWS_WITH_AS(
      (Linear<784, dynamic>(100, 10)),
      "eigan::Linear<784, dynamic>: cannot have sizes 100 and 10, expected 1 to 2^31 and what the type states",
      std::invalid_argument);
  CHECK_THROWS_AS((Linear<>(0, 10)), std::invalid_argument);
  CHECK_THROWS_AS((Linear<>(10, -1)), std::invalid_argument);
  CHECK_THROWS_AS((Linear<>(Index{1} << 32, 10)), std::invalid_argument);  // out x in must not overflow
}

TEST_CASE("Linear: another layer's parameters are refused") {
  Model<Sequential<Linear<2, 3>, Linear<3, 5>>> model(Rng(1));
  const auto& layer = model.net().layer<1>();
  CHECK(layer.weight(model.params<1>()).data() == model.params().data() + 9);
  const std::string text = "eigan::Linear: this layer has 20 parameters, given are 9";
  CHECK_THROWS_WITH_AS(layer.weight(model.params<0>()), text.c_str(), std::invalid_argument);
  CHECK_THROWS_WITH_AS(layer.bias(model.params<0>()), text.c_str(), std::invalid_argument);
  CHECK_THROWS_WITH_AS(layer.weight(std::as_const(model).params<0>()), text.c_str(), std::invalid_argument);
  CHECK_THROWS_WITH_AS(layer.bias(std::as_const(model).params<0>()), text.c_str(), std::invalid_argument);
}

TEST_CASE("Linear: starts as torch.nn.Linear does") {
  const Linear<400, 50> layer;
  std::vector<float> p(static_cast<std::size_t>(layer.param_size()));
  layer.init<float>(p, Rng(3));
  const auto w = layer.weight(std::span<const float>(p));
  const auto b = layer.bias(std::span<const float>(p));
  CHECK(w.maxCoeff() < 0.05f);
  CHECK(w.maxCoeff() > 0.0499f);
  CHECK(w.minCoeff() >= -0.05f);
  CHECK(std::abs(w.mean()) < 0.001f);
  CHECK(w.array().square().mean() == doctest::Approx(0.05 * 0.05 / 3).scale(0).epsilon(0.02));
  CHECK(b.maxCoeff() < 0.05f);
  CHECK(b.array().abs().maxCoeff() > 0.04f);
}
