// A layer of one's own, y = x sigmoid(beta x), and how generated C++ writes it.
#pragma once

#include <cmath>
#include <string>

#include <eigan/core/exact_text.hpp>
#include <eigan/core/layer.hpp>
#include <eigan/io/cpp_source.hpp>

namespace mine {

struct Swish {
  static constexpr bool elementwise = true;
  double beta = 1;

  std::string describe() const { return "Swish(beta=" + eigan::exact_text(beta) + ")"; }
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

// [expression]
inline eigan::CppExpression cpp_expression(const Swish& layer) {
  return {"::mine::Swish{" + eigan::cpp_literal(layer.beta) + "}", "io/cpp_source/swish.hpp"};
}
// [/expression]

}  // namespace mine
