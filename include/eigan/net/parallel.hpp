// Parallel<A, B, ...>: y = a(x) and b(x), ..., channels side by side: several heads on one trunk. Each is a layer or a
// composition; they are named "0", "1", ... Backward: dx = (da/dx)^T dy's first channels + (db/dx)^T dy's next + ...
#pragma once

#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigan/net/composition.hpp>
#include <eigan/net/steps.hpp>

namespace eigan {

namespace detail {
/// Every head by itself, then together.
template <Shape In, class Path, class Numbers, class... Heads>
struct CheckHeads;
template <Shape In, std::size_t... Path, std::size_t... I, class... Heads>
struct CheckHeads<In, std::index_sequence<Path...>, std::index_sequence<I...>, Heads...>
    : SideBySide<std::index_sequence<Path...>, ShapeAfter<Heads, In, Path..., I>::value...> {};
}  // namespace detail

/// y = a(x) beside b(x): `Parallel<Linear<64, 1>, Sequential<Linear<64, 10>, ReLU>>`.
template <class... Heads>
class Parallel {
  static_assert(sizeof...(Heads) > 1, "eigan::Parallel: needs at least two heads");
  static_assert(!(detail::is_input<Heads> || ...),
                "eigan::Parallel: an Input states what goes into the network; it is no head");

 public:
  using Composes = void;  ///< it is a Composition
  static constexpr bool stochastic = (detail::is_stochastic<Heads>() || ...);

  /// Of heads whose types state all sizes.
  Parallel() requires(std::is_default_constructible_v<Heads>&&...) = default;
  /// Of any heads.
  explicit Parallel(Heads... heads) requires(sizeof...(Heads) > 0) : heads_(std::move(heads)...) {}

  /// Head I.
  template <std::size_t I>
  const auto& head() const {
    return std::get<I>(heads_);
  }
  std::vector<Shape> input_shapes() const {
    const auto all = std::apply(
        [](const auto&... head) { return std::vector<std::vector<Shape>>{detail::input_shapes_of(head)...}; }, heads_);
    return detail::input_shapes_of_heads(all.size(), [&](std::size_t i) { return all[i]; });
  }
  template <class T>
  std::size_t append(Steps<T>& steps, std::size_t level, const std::string& prefix) const {
    std::vector<std::size_t> ends;
    const auto add = [&](const auto& head) {
      ends.push_back(detail::append(steps, head, level, prefix + std::to_string(ends.size())));
    };
    std::apply([&](const auto&... head) { (add(head), ...); }, heads_);
    return steps.concatenate(std::move(ends), prefix + "concatenation");
  }
  Spec spec() const {
    Spec all{"Parallel", {}, "::eigan::Parallel"};
    std::apply([&](const auto&... head) { (all.children.push_back(detail::spec_of_any(head)), ...); }, heads_);
    return all;
  }

  template <Shape In, std::size_t... Path>
  struct Check : detail::CheckHeads<In, std::index_sequence<Path...>, std::index_sequence_for<Heads...>, Heads...> {};

 private:
  std::tuple<Heads...> heads_;
};

}  // namespace eigan
