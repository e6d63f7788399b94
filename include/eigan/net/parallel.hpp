// Parallel<A, B, ...>: y = a(x) and b(x), ..., channels side by side: several heads on one trunk. Each is a layer or a
// composition, all give one height and width, one pixel included; they are named "0", "1", ...
// Backward: dx = (da/dx)^T dy's first channels + (db/dx)^T dy's next + ...
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
/// Unlike inputs, where a vector is repeated at every pixel: of heads that give one pixel, one forgot to grow.
template <Shape A, Shape B, std::size_t... Path>
struct HeadsMustHaveOneHeightAndWidth {
  static constexpr bool unknown = A == unknown_shape || B == unknown_shape;
  static_assert(unknown || (A.height == B.height && A.width == B.width),
                "eigan: the heads of a Parallel must have one height and width; the template arguments are the two "
                "shapes (channels, height, width) and the place in the network");
  static constexpr Shape value = unknown ? unknown_shape : Shape{A.channels + B.channels, A.height, A.width};
};
/// Throws std::invalid_argument, for shapes known at run time. ends: the levels that the heads make.
template <class T>
void check_one_height_and_width(const Steps<T>& steps, const std::vector<std::size_t>& ends, const std::string& name) {
  for (const std::size_t end : ends)
    if (const Shape a = steps.levels()[ends.front()], b = steps.levels()[end];
        a.height != b.height || a.width != b.width)
      fail_contract("eigan: the heads of a Parallel must have one height and width: ", name, " receives ",
                    shape_text(a), " and ", shape_text(b));
}

/// Every head by itself, then together.
template <Shape In, class Path, class Numbers, class... Heads>
struct CheckHeads;
template <Shape In, std::size_t... Path, std::size_t... I, class... Heads>
struct CheckHeads<In, std::index_sequence<Path...>, std::index_sequence<I...>, Heads...>
    : SideBySide<HeadsMustHaveOneHeightAndWidth, std::index_sequence<Path...>,
                 ShapeAfter<Heads, In, Path..., I>::value...> {};
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
    detail::check_one_height_and_width(steps, ends, prefix + "concatenation");
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
