// check_gradients: does a layer's hand-written backward pass agree with its forward pass? For your own layers too:
//
//     eigan::testing::Report report = eigan::testing::check_gradients(MyLayer<7, 3>{});
//     if (!report.ok()) std::puts(report.text().c_str());
//
// With a random upstream gradient r, the scalar f = <r, layer(x)> is differentiated by central differences in double,
// (f(v + h) - f(v - h)) / 2h, in every input and parameter v (a random subset above a cap), for batches of 1 and 3,
// and compared with backward_input and backward_params: |a - n| <= 1e-7 + 1e-5 max(|a|, |n|). Beyond that every claim
// of core/layer.hpp that the layer makes is tried, each in the file of its name. Losses and models have their own.
#pragma once

#include <eigan/testing/check_declared.hpp>
#include <eigan/testing/check_layer.hpp>
#include <eigan/testing/check_loss.hpp>
#include <eigan/testing/check_model.hpp>
#include <eigan/testing/check_params.hpp>
#include <eigan/testing/check_parts.hpp>
#include <eigan/testing/check_tangents.hpp>

namespace eigan::testing {
namespace detail {

/// A layer that has a size or takes any.
template <class L>
void check_placed(const L& layer, const CheckOptions& o, Report& report) {
  const Index size = eigan::detail::input_of(layer);
  check_declared(layer, size == dynamic ? o.features : size, o, report);
  for (const Index batch : o.batches) {
    Trial<L> training(layer, batch, Phase::training, o, report);
    check_layer(training);
    if constexpr (ParametricLayer<L, double>) check_params(training);
    check_tangents(training);
    if constexpr (PartedLayer<L, double> && !StochasticLayer<L, double>) check_parts(training);
    if constexpr (StochasticLayer<L, double> || BatchCoupledLayer<L, double>) {
      Trial<L> inference(layer, batch, Phase::inference, o, report);
      check_layer(inference);
      if constexpr (PartedLayer<L, double> && StochasticLayer<L, double>) check_parts(inference);
    } else if constexpr (PreparedLayer<L, double>) {
      Trial<L> inference(layer, batch, Phase::inference, o, report);
      if (!nearly_same(inference.output(), training.output()))
        report.fail("prepare: the output at inference differs from that in training, batch ", batch);
      if (!inference.prepared.intact()) inference.fail("prepare: writes outside q");
    }
  }
}

/// A layer that knows images, at its place.
template <class L>
void check_shaped(const L& layer, CheckOptions o, Report& report) {
  if (!o.shape) o.shape = Shape{o.features};
  const auto text = [](Shape s) { return eigan::detail::concat(s.channels, " x ", s.height, " x ", s.width); };
  const Shape out = layer.output_shape(o.shape);
  if (!out) {
    std::string expected;
    if constexpr (requires { layer.expects(); }) expected = eigan::detail::concat(", it expects ", layer.expects());
    eigan::detail::fail_contract("eigan::testing::check_gradients: the layer takes no sample of ", text(o.shape),
                                 expected, "; choose the option shape");
  }
  const auto placed = layer.at(o.shape);
  using Placed = std::remove_cvref_t<decltype(placed)>;
  static_assert(Layer<Placed, double>, "eigan::testing::check_gradients: at(Shape) must return a Layer");
  o.features = o.shape.size();
  const Index stated = eigan::detail::input_of(placed), given = eigan::detail::output_of(placed, o.features);
  if (stated != dynamic && stated != o.features)
    return report.fail("at: the layer placed at ", text(o.shape), " takes ", stated, " numbers");
  if (given != out.size())
    return report.fail("at: the layer placed at ", text(o.shape), " gives ", given, " numbers, output_shape says ",
                       text(out));
  if constexpr (requires { layer.spec(), placed.spec(); })
    if (!(layer.spec() == placed.spec()))
      report.fail("spec: ", layer.spec().text(), " becomes ", placed.spec().text(), " where it is placed");
  check_placed(placed, o, report);
}

}  // namespace detail

/// Checks one layer of any kind; one that knows images is placed at the option shape. The layer must satisfy the
/// concepts with T = double. Throws std::invalid_argument for a shape that it does not take.
template <class L>
requires(Layer<L, double> || ShapedLayer<L>) Report check_gradients(const L& layer, CheckOptions options = {}) {
  Report report;
  Index stated = dynamic;
  if constexpr (Layer<L, double>) stated = eigan::detail::input_of(layer);
  if constexpr (ShapedLayer<L>)
    if (stated == dynamic || options.shape) {
      detail::check_shaped(layer, options, report);
      return report;
    }
  if constexpr (Layer<L, double>) {
    if (options.shape) options.features = options.shape.size();
    if (options.shape && stated != dynamic && stated != options.features)
      eigan::detail::fail_contract("eigan::testing::check_gradients: the layer takes ", stated, " numbers, not ",
                                   options.features);
    detail::check_placed(layer, options, report);
  }
  return report;
}

}  // namespace eigan::testing
