// SkipConnection<Layers...>: y = x and f(x), channels side by side, f being the layers in a row, which must keep height
// and width, one pixel included. Nested, it is a U-Net (Ronneberger et al. 2015). Backward: dx = dy's first channels +
// (df/dx)^T dy's others. Its layers are named "body.0", "body.1", ...
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <eigan/net/residual.hpp>

namespace eigan {
namespace detail {

template <Shape A, Shape B, std::size_t... Path>
struct SkipMustKeepHeightAndWidth : SideBySideMustHaveOneHeightAndWidth<A, B, Path...> {
  static_assert(A == unknown_shape || B == unknown_shape || (A.height == B.height && A.width == B.width),
                "eigan: the layers of a SkipConnection must keep height and width; the template arguments are the "
                "shapes in front of them and behind (channels, height, width) and the place in the network");
};
/// Throws std::invalid_argument, for shapes known at run time.
inline void check_keeps_height_and_width(Shape in, Shape out, const std::string& name) {
  if (in.height != out.height || in.width != out.width)
    fail_contract("eigan: the layers of a SkipConnection must keep height and width: ", name, " receives ",
                  shape_text(in), " and ", shape_text(out));
}

}  // namespace detail

/// y = x beside f(x).
template <class... Ls>
class SkipConnection {
 public:
  using Composes = void;                           ///< it is a Composition
  using Body = typename detail::Row<Ls...>::type;  ///< f
  static constexpr bool stochastic = detail::is_stochastic<Body>();

  /// Of layers whose types state all sizes.
  SkipConnection() requires(std::is_default_constructible_v<Body>) = default;
  /// Of any layers.
  explicit SkipConnection(Ls... layers) requires(sizeof...(Ls) > 0) : body_(std::move(layers)...) {}

  /// f.
  const Body& body() const { return body_; }
  std::vector<Shape> input_shapes() const {
    return detail::input_shapes_of_heads(1, [&](std::size_t) { return body_.input_shapes(); });
  }
  template <class T>
  std::size_t append(Steps<T>& steps, std::size_t level, const std::string& prefix) const {
    const std::size_t end = body_.append(steps, level, prefix + "body.");
    detail::check_keeps_height_and_width(steps.levels()[level], steps.levels()[end], prefix + "concatenation");
    return steps.concatenate({level, end}, prefix + "concatenation");
  }
  Spec spec() const { return {"SkipConnection", {}, "::eigan::SkipConnection", {}, body_.spec().children}; }

  template <Shape In, std::size_t... Path>
  struct Check : detail::SkipMustKeepHeightAndWidth<In, detail::ShapeAfter<Body, In, Path...>::value, Path...> {};

 private:
  Body body_;
};

}  // namespace eigan
