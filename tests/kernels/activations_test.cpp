#include <doctest/doctest.h>
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <eigan/kernels/activations.hpp>

#include "kernels/candidates.hpp"
#define EIGAN_KERNELS <eigan/kernels/map.inc>
#include "kernels/sixty_four_bytes.inc"
#define EIGAN_KERNELS <eigan/kernels/activations.inc>
#include "kernels/sixty_four_bytes.inc"

using namespace kernel_tests;

namespace {

// What the kernels compute, in long double.

using Wide = long double;

Wide elu(Wide x) {
  return x > 0 ? x : 0.5L * std::expm1(x);
}
Wide elu_slope(Wide x) {
  return x > 0 ? 1 : 0.5L * std::exp(x);
}
Wide normal(Wide x) {
  return std::erfc(-x / std::sqrt(2.0L)) / 2;
}
Wide gelu(Wide x) {
  return x * normal(x);
}
Wide gelu_slope(Wide x) {
  return normal(x) + x * std::exp(-x * x / 2) / std::sqrt(8 * std::atan(1.0L));
}
Wide sigmoid(Wide x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}
Wide silu(Wide x) {
  return x * sigmoid(x);
}
Wide silu_slope(Wide x) {
  return sigmoid(x) * (1 + x * sigmoid(-x));
}
Wide softplus(Wide x) {
  return std::max(x, 0.0L) + std::log1p(std::exp(-std::abs(x)));
}

// The kernels with one signature, the tables picked by the instruction set.

struct Elu {
  template <class T>
  using Table = detail::EluKernels<T>;
  template <class T>
  static void forward(const Table<T>& k, Index n, const T* x, T* y) {
    k.forward(n, T(0.5), x, y);
  }
  template <class T>
  static void backward(const Table<T>& k, Index n, const T* y, const T* dy, T* dx) {
    k.backward(n, T(0.5), y, dy, dx);
  }
};
template <template <class> class Kernels>
struct Plain {
  template <class T>
  using Table = Kernels<T>;
  template <class T>
  static void forward(const Table<T>& k, Index n, const T* x, T* y) {
    k.forward(n, x, y);
  }
  template <class T>
  static void backward(const Table<T>& k, Index n, const T* x, const T* dy, T* dx) {
    k.backward(n, x, dy, dx);
  }
};
using Gelu = Plain<detail::GeluKernels>;
using Silu = Plain<detail::SiluKernels>;
struct Softplus {
  template <class T>
  using Table = detail::SoftplusKernels<T>;
  template <class T>
  static void forward(const Table<T>& k, Index n, const T* x, T* y) {
    k.forward(n, T(1), T(1e30), x, y);
  }
  template <class T>
  static void backward(const Table<T>& k, Index n, const T* x, const T* dy, T* dx) {
    k.backward(n, T(1), T(1e30), x, dy, dx);
  }
};

/// Calls both kernels for n = 1, ..., 70, apart and in place, and compares; what lies behind the result must stay.
template <class A, class T>
void check_lengths(const char* name, Wide (*f)(Wide), Wide (*slope)(Wide), bool backward_takes_y) {
  const auto eps = static_cast<Wide>(std::numeric_limits<T>::epsilon());
  const Matrix<T> x = support::random_matrix<T>(70, 1, 1), dy = support::random_matrix<T>(70, 1, 2);
  Matrix<T> from = x;
  if (backward_takes_y) from = x.unaryExpr([&](T v) { return static_cast<T>(f(static_cast<Wide>(v))); });
  for (const auto& candidate : candidates<typename A::template Table<T>>())
    for (Index n = 1; n <= 70; ++n) {
      INFO(name, ", ", candidate.name, ", n = ", n);
      Matrix<T> y = Matrix<T>::Constant(n + 3, 1, static_cast<T>(mark));
      Matrix<T> dx = y, y_over = y, dx_over = y;
      y_over.topRows(n) = x.topRows(n), dx_over.topRows(n) = dy.topRows(n);
      A::template forward<T>(*candidate.table, n, x.data(), y.data());
      A::template forward<T>(*candidate.table, n, y_over.data(), y_over.data());
      A::template backward<T>(*candidate.table, n, from.data(), dy.data(), dx.data());
      A::template backward<T>(*candidate.table, n, from.data(), dx_over.data(), dx_over.data());
      bool right = (y.bottomRows(3).array() == static_cast<T>(mark)).all() &&
                   (dx.bottomRows(3).array() == static_cast<T>(mark)).all();
      for (Index i = 0; i < n; ++i) {
        const auto at = static_cast<Wide>(x(i));
        right = right && std::abs(static_cast<Wide>(y(i)) - f(at)) <= 4 * eps &&
                std::abs(static_cast<Wide>(dx(i)) - slope(at) * static_cast<Wide>(dy(i))) <= 8 * eps;
      }
      REQUIRE(right);
      REQUIRE(y == y_over);
      REQUIRE(dx == dx_over);
    }
}

/// Every 49999th of the finite floats, of both signs.
std::vector<float> all_floats() {
  std::vector<float> x;
  for (std::uint32_t bits = 0; bits < 0x7F800000u; bits += 49999)
    for (const float sign : {1.0f, -1.0f}) x.push_back(sign * std::bit_cast<float>(bits));
  return x;
}

/// Units in the last place between a float and what it should be; none is below 2^smallest.
double ulps(float found, double expected, int smallest) {
  if (std::abs(expected) > static_cast<double>(std::numeric_limits<float>::max()))
    return std::isinf(found) || std::abs(found) == std::numeric_limits<float>::max() ? 0 : 1e9;
  int exponent = 0;
  std::frexp(expected, &exponent);
  return std::abs(static_cast<double>(found) - expected) / std::ldexp(1.0, std::max(exponent - 24, smallest));
}

/// y is within `units` last places over all floats, the slope within `slope_error`; a NaN is nowhere.
template <class A>
void check_all_floats(const char* name, Wide (*f)(Wide), Wide (*slope)(Wide), double units, double slope_error,
                      int smallest = -149) {
  const std::vector<float> x = all_floats(), ones(x.size(), 1);
  const auto n = static_cast<Index>(x.size());
  std::vector<double> expected, expected_slope;
  for (const float v : x) {
    expected.push_back(static_cast<double>(f(static_cast<Wide>(v))));
    expected_slope.push_back(static_cast<double>(slope(static_cast<Wide>(v))));
  }
  std::vector<float> y(x.size()), dx(x.size());
  for (const auto& candidate : candidates<typename A::template Table<float>>()) {
    A::template forward<float>(*candidate.table, n, x.data(), y.data());
    const bool takes_y = std::is_same_v<A, Elu>;
    A::template backward<float>(*candidate.table, n, takes_y ? y.data() : x.data(), ones.data(), dx.data());
    double worst = 0, worst_slope = 0;
    float at = 0, slope_at = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double error = ulps(y[i], expected[i], smallest);
      if (!(error <= worst)) worst = error, at = x[i];
      const double off = std::abs(static_cast<double>(dx[i]) - expected_slope[i]);
      if (!(off <= worst_slope)) worst_slope = off, slope_at = x[i];
    }
    INFO(name, ", ", candidate.name, ": ", worst, " units at ", at, ", the slope ", worst_slope, " at ", slope_at);
    CHECK(worst <= units);
    CHECK(worst_slope <= slope_error);
  }
}

template <class A>
void check_special() {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> x{std::numeric_limits<float>::quiet_NaN(), inf, -inf}, ones(3, 1);
  for (const auto& candidate : candidates<typename A::template Table<float>>()) {
    CAPTURE(candidate.name);
    std::vector<float> y(3), dx(3);
    A::template forward<float>(*candidate.table, 3, x.data(), y.data());
    A::template backward<float>(*candidate.table, 3, x.data(), ones.data(), dx.data());
    CHECK(std::isnan(y[0]));
    CHECK(std::isnan(dx[0]));
    CHECK(y[1] == inf);
    CHECK(dx[1] == 1);
    CHECK(std::abs(y[2]) <= 0.5f);
    CHECK(std::isfinite(dx[2]) != std::is_same_v<A, Elu>);  // which is given y, never as low
  }
}

}  // namespace

TEST_CASE("activations: every length, in float and double") {
  check_lengths<Elu, float>("elu", elu, elu_slope, true);
  check_lengths<Elu, double>("elu", elu, elu_slope, true);
  check_lengths<Gelu, float>("gelu", gelu, gelu_slope, false);
  check_lengths<Gelu, double>("gelu", gelu, gelu_slope, false);
  check_lengths<Silu, float>("silu", silu, silu_slope, false);
  check_lengths<Silu, double>("silu", silu, silu_slope, false);
  check_lengths<Softplus, float>("softplus", softplus, sigmoid, false);
  check_lengths<Softplus, double>("softplus", softplus, sigmoid, false);
}

TEST_CASE("activations: the error over all floats") {
  check_all_floats<Elu>("elu", elu, elu_slope, 2.5, 1e-7);
  check_all_floats<Gelu>("gelu", gelu, gelu_slope, 6.5, 2.5e-7);
  check_all_floats<Silu>("silu", silu, silu_slope, 4, 2.5e-7, -142);  // denormal numbers times x, which is above 87
  check_all_floats<Softplus>("softplus", softplus, sigmoid, 4, 1.5e-7);
}

TEST_CASE("activations: infinities have their limits, a NaN stays one") {
  check_special<Elu>();
  check_special<Gelu>();
  check_special<Silu>();
  check_special<Softplus>();
}
