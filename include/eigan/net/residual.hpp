// Residual<Layers...>: y = x + f(x), f being the layers in a row, which keep the shape (He et al. 2016).
// Backward: dx = dy + (df/dx)^T dy. Its layers are named "body.0", "body.1", ...
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <eigan/net/sequential.hpp>

namespace eigan {

namespace detail {
/// Layers in a row, or the one row that is given.
template <class... Ls>
struct Row {
  using type = Sequential<Ls...>;
};
template <class... Ls>
struct Row<Sequential<Ls...>> {
  using type = Sequential<Ls...>;
};
template <class R>
requires requires {
  typename R::IsRow;
}
struct Row<R> {
  using type = R;
};

template <Shape Receives, Shape Gives, std::size_t... Path>
struct ResidualMustKeepTheShape {
  static_assert(
      Receives == Gives || Receives == unknown_shape || Gives == unknown_shape,
      "eigan: a sum needs equal shapes; the template arguments are what a Residual's layers receive and what they give "
      "(channels, height, width) and its place in the network");
};
}  // namespace detail

/// y = x + f(x): `Residual<Conv2d<8, 8, 3, 1, 1>, ReLU, Conv2d<8, 8, 3, 1, 1>>`.
template <class... Ls>
class Residual {
 public:
  using Composes = void;                           ///< it is a Composition
  using Body = typename detail::Row<Ls...>::type;  ///< f
  static constexpr bool stochastic = detail::is_stochastic<Body>();

  /// Of layers whose types state all sizes.
  Residual() requires(std::is_default_constructible_v<Body>) = default;
  /// Of any layers.
  explicit Residual(Ls... layers) requires(sizeof...(Ls) > 0) : body_(std::move(layers)...) {}

  /// f.
  const Body& body() const { return body_; }
  std::vector<Shape> input_shapes() const { return body_.input_shapes(); }
  template <class T>
  std::size_t append(Steps<T>& steps, std::size_t level, const std::string& prefix) const {
    return steps.sum({level, body_.append(steps, level, prefix + "body.")}, prefix + "sum");
  }
  Spec spec() const { return {"Residual", {}, "::eigan::Residual", {}, body_.spec().children}; }

  template <Shape In, std::size_t... Path>
  struct Check {
    static constexpr Shape value = detail::ShapeAfter<Body, In, Path...>::value;
    static_assert(sizeof(detail::ResidualMustKeepTheShape<In, value, Path...>) > 0);
  };

 private:
  Body body_;
};

}  // namespace eigan
