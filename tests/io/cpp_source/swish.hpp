// A layer of one's own, y = x sigmoid(beta x), and how generated C++ writes it.
#pragma once

#include <cmath>
#include <span>

#include <eigan/core/layer.hpp>

namespace mine {

struct Swish {
  static constexpr bool elementwise = true;
  double beta = 1;

  // [spec]
  eigan::Spec spec() const { return {"Swish", {{"beta", beta}}, "::mine::Swish", "io/cpp_source/swish.hpp"}; }
  // [/spec]
  template <class T>
  void forward(std::span<const T>, eigan::ConstView<T> x, eigan::View<T> y) const {
    y = x.unaryExpr([b = static_cast<T>(beta)](T v) { return v / (T(1) + std::exp(-b * v)); });
  }
  template <class T>
  void backward_input(std::span<const T>, eigan::ConstView<T> x, eigan::ConstView<T> y, eigan::ConstView<T> dy,
                      eigan::View<T> dx) const {
    const T b = static_cast<T>(beta);
    dx = dy.array() * (b * y.array() + (T(1) - b * y.array()) / (T(1) + (-b * x.array()).exp()));
  }
};

}  // namespace mine
