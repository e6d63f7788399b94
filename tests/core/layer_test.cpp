#include <doctest/doctest.h>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigan/core/layer.hpp>

using namespace eigan;

// What the concepts say is asserted when this file is compiled.
namespace {

// The smallest layers of each kind, and what becomes of them when one thing is missing.
struct Identity {
  static constexpr bool elementwise = true;
  template <class T>
  void forward(std::span<const T>, ConstView<T>, View<T>) const {}
  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T>, View<T>) const {}
};
static_assert(Layer<Identity> && Layer<Identity, double> && ElementwiseLayer<Identity> && !SizedLayer<Identity>);
static_assert(!ParametricLayer<Identity> && !BlockedLayer<Identity> && !StochasticLayer<Identity>);

struct NotElementwise : Identity {
  static constexpr bool elementwise = false;
};
static_assert(!ElementwiseLayer<NotElementwise> && !Layer<NotElementwise>);  // then it must state its sizes

struct NoForward {
  static constexpr bool elementwise = true;
  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T>, View<T>) const {}
};
struct NoBackwardInput {
  static constexpr bool elementwise = true;
  template <class T>
  void forward(std::span<const T>, ConstView<T>, View<T>) const {}
};
struct ForwardChangesTheLayer {
  static constexpr bool elementwise = true;
  template <class T>
  void forward(std::span<const T>, ConstView<T>, View<T>) {}
  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T>, View<T>) const {}
};
static_assert(!Layer<NoForward> && !Layer<NoBackwardInput> && !Layer<ForwardChangesTheLayer>);

struct OnlyFloat {
  static constexpr Index input = 2, output = 3;
  void forward(std::span<const float>, ConstView<float>, View<float>) const {}
  void backward_input(std::span<const float>, ConstView<float>, ConstView<float>, ConstView<float>, View<float>) const {
  }
};
static_assert(Layer<OnlyFloat, float> && SizedLayer<OnlyFloat> && !Layer<OnlyFloat, double>);

struct HalfSized : NotElementwise {
  static constexpr Index input = 2;
};
static_assert(!SizedLayer<HalfSized> && !Layer<HalfSized>);

struct Scale : Identity {
  Index param_size() const { return 4; }
  template <class T>
  void init(std::span<T>, Rng) const {}
  template <class T>
  void backward_params(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T>, std::span<T>) const {}
};
static_assert(ParametricLayer<Scale> && ParametricLayer<Scale, double> && !BlockedLayer<Scale>);

struct NoInit : Identity {
  Index param_size() const { return 4; }
  template <class T>
  void backward_params(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T>, std::span<T>) const {}
};
struct NoBackwardParams : Identity {
  Index param_size() const { return 4; }
  template <class T>
  void init(std::span<T>, Rng) const {}
};
static_assert(Layer<NoInit> && !ParametricLayer<NoInit> && !ParametricLayer<NoBackwardParams>);

struct Blocked : Scale {
  Index block_count() const { return 1; }
  std::pair<Index, Index> block_range(Index) const { return {0, 4}; }
  template <class T>
  void backward_params_blocks(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T>, std::span<T>, Index,
                              Index) const {}
};
struct NoBlockRange : Scale {
  Index block_count() const { return 1; }
  template <class T>
  void backward_params_blocks(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T>, std::span<T>, Index,
                              Index) const {}
};
static_assert(BlockedLayer<Blocked> && !BlockedLayer<NoBlockRange>);

struct Noise : Identity {
  template <class T>
  void forward_train(std::span<const T>, ConstView<T>, View<T>, Draw) const {}
  template <class T>
  void backward_input_train(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T>, View<T>, Draw) const {}
};
struct NoiseForwardOnly : Identity {
  template <class T>
  void forward_train(std::span<const T>, ConstView<T>, View<T>, Draw) const {}
};
static_assert(StochasticLayer<Noise> && !StochasticLayer<NoiseForwardOnly>);

// What stands in a network where a description knows images.
struct Placed : OnlyFloat {
  [[maybe_unused]] static constexpr Index input = dynamic, output = dynamic;
  Index numbers;
  Index input_size() const { return numbers; }
  Index output_size() const { return numbers / 4; }
};
struct Pooling {
  constexpr Shape output_shape(Shape in) const {
    return in.height % 2 == 0 && in.width % 2 == 0 ? Shape{in.channels, in.height / 2, in.width / 2} : Shape{};
  }
  Placed at(Shape in) const { return {{}, in.size()}; }
};
struct NoAt {
  constexpr Shape output_shape(Shape in) const { return in; }
};
static_assert(ShapedLayer<Pooling> && !ShapedLayer<NoAt> && !ShapedLayer<Identity> && !Layer<Pooling>);

struct Parts : Identity {
  Index part_count() const { return 3; }
  template <class T>
  void forward_parts(std::span<const T>, ConstView<T>, View<T>, Index, Index) const {}
  template <class T>
  void backward_input_parts(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T>, View<T>, Index, Index) const {
  }
};
struct Coupled : Parts {
  static constexpr bool coupled = true;
};
struct CoupledWithoutParts : Identity {
  [[maybe_unused]] static constexpr bool coupled = true;
};
static_assert(PartedLayer<Parts> && !PartedLayer<Identity> && !BatchCoupledLayer<Parts>);
static_assert(BatchCoupledLayer<Coupled> && !BatchCoupledLayer<CoupledWithoutParts>);

// With something prepared, all functions take a Prepared<T> in place of the parameters.
struct Prepares {
  static constexpr bool elementwise = true;
  Index prepared_size() const { return 2; }
  template <class T>
  void prepare(std::span<const T>, std::span<const T>, std::span<T>, Phase) const {}
  template <class T>
  void forward(Prepared<T>, ConstView<T>, View<T>) const {}
  template <class T>
  void backward_input(Prepared<T>, ConstView<T>, ConstView<T>, ConstView<T>, View<T>) const {}
};
struct PreparesForNobody : Identity {
  Index prepared_size() const { return 2; }
  template <class T>
  void prepare(std::span<const T>, std::span<const T>, std::span<T>, Phase) const {}
};
static_assert(PreparedLayer<Prepares> && Layer<Prepares> && !PreparedLayer<Identity>);
static_assert(PreparedLayer<PreparesForNobody> && !Layer<PreparesForNobody>);
static_assert(std::is_same_v<ParamsOf<Prepares, float>, Prepared<float>> &&
              std::is_same_v<ParamsOf<Identity, float>, std::span<const float>>);

struct Stateful : Prepares {
  Index state_size() const { return 1; }
  std::vector<Parameter> states() const { return {{"count", 0, 1, 1, 0}}; }
  template <class T>
  void init_state(std::span<T>) const {}
};
struct Statistics : Stateful {
  template <class T>
  void update_statistics(std::span<T>, ConstView<T>, double) const {}
  template <class T>
  void merge_statistics(std::span<T>, ConstView<T>, Index) const {}
};
static_assert(StatefulLayer<Stateful> && !StatefulLayer<Prepares> && StatisticsLayer<Statistics> &&
              !StatisticsLayer<Stateful>);

// A tangent is needed whole.
struct Bent : Identity {
  template <class T>
  void add_curvature(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T>, ConstView<T>, View<T>) const {}
};
struct Straight : Identity {
  static constexpr bool piecewise_linear = true;
};
struct StraightScale : Scale {
  static constexpr bool piecewise_linear = true;
};
struct TangentScale : StraightScale {
  template <class T>
  void backward_params_tangent(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T>, ConstView<T>,
                               std::span<T>) const {}
};
struct StraightSized : OnlyFloat {
  static constexpr bool piecewise_linear = true;
};
static_assert(TangentLayer<Bent> && TangentLayer<Straight> && TangentLayer<TangentScale>);
static_assert(!TangentLayer<Identity> && !TangentLayer<StraightScale> && !TangentLayer<StraightSized>);

}  // namespace
