#include <doctest/doctest.h>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigan/core/layer.hpp>

using namespace eigan;

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

struct ReadsNothing : Identity {
  static constexpr bool backward_reads_x = false;
  static constexpr bool backward_reads_y = false;
};
static_assert(detail::backward_reads_x<Identity>() && detail::backward_reads_y<Identity>());
static_assert(!detail::backward_reads_x<ReadsNothing>() && !detail::backward_reads_y<ReadsNothing>());

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

struct RunTimeSized : OnlyFloat {
  static constexpr Index input = dynamic;
  [[maybe_unused]] static constexpr Index output = dynamic;
  Index input_size() const { return 7; }
  Index output_size() const { return 5; }
  Index param_size() const { return 35; }
  Spec spec() const { return {"RunTimeSized", {{"in", 7}, {"out", 5}}}; }
  std::vector<Parameter> parameters() const { return {{"weight", 0, 5, 7, 2}}; }
};

}  // namespace

TEST_CASE("Layer: sizes come from the type, from the value, or from the layer before") {
  CHECK(detail::input_of(RunTimeSized{}) == 7);
  CHECK(detail::output_of(RunTimeSized{}, 7) == 5);
  CHECK(detail::input_of(OnlyFloat{}) == 2);
  CHECK(detail::output_of(OnlyFloat{}, 2) == 3);
  CHECK(detail::input_of(Identity{}) == dynamic);
  CHECK(detail::output_of(Identity{}, 6) == 6);
}

TEST_CASE("Layer: the shape that comes out, or none where the layer does not take what goes in") {
  CHECK(detail::output_shape_of(Identity{}, {3, 4, 5}) == Shape{3, 4, 5});
  CHECK(detail::output_shape_of(OnlyFloat{}, {2}) == Shape{3});
  CHECK_FALSE(detail::output_shape_of(OnlyFloat{}, {3}));
  CHECK_FALSE(detail::output_shape_of(OnlyFloat{}, {2, 4, 4}));
  CHECK(detail::output_shape_of(RunTimeSized{}, {7}) == Shape{5});
  CHECK(detail::output_shape_of(Pooling{}, {3, 4, 6}) == Shape{3, 2, 3});
  CHECK_FALSE(detail::output_shape_of(Pooling{}, {3, 4, 5}));
}

TEST_CASE("Layer: what a layer does not say has a default") {
  CHECK(detail::spec_of(Identity{}).text() == "Layer()");
  CHECK(detail::spec_of(RunTimeSized{}).text() == "RunTimeSized(in=7, out=5)");
  CHECK(detail::param_size_of(Identity{}) == 0);
  CHECK(detail::parameters_of(Identity{}).empty());

  const auto unnamed = detail::parameters_of(Scale{});
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
