#include <doctest/doctest.h>
#include <span>
#include <string>
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

struct RunTimeSized : OnlyFloat {
  static constexpr Index input = dynamic;
  [[maybe_unused]] static constexpr Index output = dynamic;
  Index input_size() const { return 7; }
  Index output_size() const { return 5; }
  Index param_size() const { return 35; }
  std::string describe() const { return "RunTimeSized(7, 5)"; }
  std::vector<Parameter> parameters() const { return {{"weight", 0, 5, 7, 2}}; }
};

}  // namespace

TEST_CASE("Layer: sizes come from the type, from the value, or from the layer before") {
  CHECK(detail::static_input<OnlyFloat>() == 2);
  CHECK(detail::static_output<OnlyFloat>(2) == 3);
  CHECK(detail::static_input<Identity>() == dynamic);
  CHECK(detail::static_output<Identity>(9) == 9);
  CHECK(detail::static_input<RunTimeSized>() == dynamic);
  CHECK(detail::input_of(RunTimeSized{}) == 7);
  CHECK(detail::output_of(RunTimeSized{}, 7) == 5);
  CHECK(detail::input_of(OnlyFloat{}) == 2);
  CHECK(detail::output_of(OnlyFloat{}, 2) == 3);
  CHECK(detail::input_of(Identity{}) == dynamic);
  CHECK(detail::output_of(Identity{}, 6) == 6);
}

TEST_CASE("Layer: what a layer does not say has a default") {
  CHECK(detail::describe(Identity{}) == "Layer");
  CHECK(detail::describe(RunTimeSized{}) == "RunTimeSized(7, 5)");
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
