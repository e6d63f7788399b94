#include <doctest/doctest.h>
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <eigan/kernels/elementwise.hpp>

#include "kernels/candidates.hpp"
#define EIGAN_KERNELS <eigan/kernels/map.inc>
#include "kernels/sixty_four_bytes.inc"
#define EIGAN_KERNELS <eigan/kernels/elementwise.inc>
#include "kernels/sixty_four_bytes.inc"

using namespace kernel_tests;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Units in the last place between a float and what it should be.
double ulps(float found, double expected) {
  if (std::isnan(expected) || std::isinf(expected)) return found == static_cast<float>(expected) ? 0 : infinity;
  int exponent = 0;
  std::frexp(expected, &exponent);
  return std::abs(static_cast<double>(found) - expected) / std::ldexp(1.0, std::max(exponent - 24, -149));
}

/// Calls kernel(n, inputs, y) for n = 1, ..., 70 and y apart or in place, and compares with `expected`, to the
/// tolerance times what is larger, the value or 1; what lies behind y must stay.
template <class Table, class T, class Kernel, class Expected>
void check_map(const std::string& what, double tolerance, const Kernel& kernel, const Expected& expected) {
  const Matrix<T> x = support::random_matrix<T>(70, 1, 1), u = support::random_matrix<T>(70, 1, 2);
  for (const auto& candidate : candidates<Table>())
    for (Index n = 1; n <= 70; ++n) {
      INFO(what, ", ", candidate.name, ", n = ", n);
      Matrix<T> y = Matrix<T>::Constant(n + 3, 1, static_cast<T>(mark));
      Matrix<T> in_place = y;
      in_place.topRows(n) = u.topRows(n);
      kernel(*candidate.table, n, x.data(), u.data(), y.data());
      kernel(*candidate.table, n, x.data(), in_place.data(), in_place.data());
      bool right = (y.bottomRows(3).array() == static_cast<T>(mark)).all();
      for (Index i = 0; i < n; ++i) {
        const double should = expected(static_cast<double>(x(i)), static_cast<double>(u(i)));
        right = right && std::abs(static_cast<double>(y(i)) - should) <= tolerance * std::max(1.0, std::abs(should));
      }
      REQUIRE(right);
      REQUIRE(y == in_place);
    }
}

template <class T>
void check_maps() {
  // 2 x and x / 2 are exact; a product or sum that is not rounds by half a unit, a fused one by less.
  const auto eps = static_cast<double>(std::numeric_limits<T>::epsilon());
  using Relu = detail::ReluKernels<T>;
  using Leaky = detail::LeakyReluKernels<T>;
  using Tanh = detail::TanhKernels<T>;
  using Sigmoid = detail::SigmoidKernels<T>;
  check_map<Relu, T>(
      "relu", 0, [](const Relu& k, Index n, const T*, const T* u, T* y) { k.forward(n, u, y); },
      [](double, double u) { return std::max(u, 0.0); });
  check_map<Leaky, T>(
      "leaky_relu", 0, [](const Leaky& k, Index n, const T*, const T* u, T* y) { k.forward(n, T(0.25), u, y); },
      [](double, double u) { return u < 0 ? u / 4 : u; });
  check_map<Leaky, T>(
      "leaky_relu_backward", 0,
      [](const Leaky& k, Index n, const T* x, const T* u, T* y) { k.backward(n, T(0.25), x, u, y); },
      [](double y, double dy) { return y > 0 ? dy : dy / 4; });
  check_map<Tanh, T>(
      "tanh", 3 * eps, [](const Tanh& k, Index n, const T*, const T* u, T* y) { k.forward(n, u, y); },
      [](double, double u) { return std::tanh(u); });
  check_map<Tanh, T>(
      "tanh_backward", 8 * eps, [](const Tanh& k, Index n, const T* x, const T* u, T* y) { k.backward(n, x, u, y); },
      [](double y, double dy) { return dy * (1 - y * y); });
  check_map<Sigmoid, T>(
      "sigmoid", 3 * eps, [](const Sigmoid& k, Index n, const T*, const T* u, T* y) { k.forward(n, u, y); },
      [](double, double u) { return 1 / (1 + std::exp(-u)); });
  check_map<Sigmoid, T>(
      "sigmoid_backward", 8 * eps,
      [](const Sigmoid& k, Index n, const T* x, const T* u, T* y) { k.backward(n, x, u, y); },
      [](double y, double dy) { return dy * y * (1 - y); });
}

}  // namespace

TEST_CASE("kernels: element-wise functions of every length, in float and double") {
  check_maps<float>();
  check_maps<double>();
}

TEST_CASE("kernels: zeros keep their sign and a NaN stays a NaN") {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> x{-0.f, 0.f, std::numeric_limits<float>::quiet_NaN(), inf, -inf};
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
    if (!supports(isa)) continue;
    CAPTURE(std::string(to_string(isa)));
    std::vector<float> relu(5), leaky(5), tanh(5), sigmoid(5);
    detail::kernels_for<detail::ReluKernels<float>>(isa).forward(5, x.data(), relu.data());
    detail::kernels_for<detail::LeakyReluKernels<float>>(isa).forward(5, 0.5f, x.data(), leaky.data());
    detail::kernels_for<detail::TanhKernels<float>>(isa).forward(5, x.data(), tanh.data());
    detail::kernels_for<detail::SigmoidKernels<float>>(isa).forward(5, x.data(), sigmoid.data());
    for (const auto& y : {relu, leaky, tanh, sigmoid}) CHECK(std::isnan(y[2]));
    CHECK(std::signbit(tanh[0]));
    CHECK_FALSE(std::signbit(tanh[1]));
    CHECK(relu[3] == inf);
    CHECK(relu[4] == 0);
    CHECK(leaky[3] == inf);
    CHECK(leaky[4] == -inf);
    CHECK(tanh[0] == 0);
    CHECK(tanh[3] == 1);
    CHECK(tanh[4] == -1);
    CHECK(sigmoid[0] == 0.5f);
    CHECK(sigmoid[1] == 0.5f);
    CHECK(sigmoid[3] == 1);
    CHECK(sigmoid[4] == 0);
  }
}

TEST_CASE("kernels: tanh and sigmoid are within 2.5 units in the last place over all floats") {
  // Every 997th of the finite floats, from the least to the greatest magnitude, and of both signs.
  std::vector<float> x;
  for (std::uint32_t bits = 0; bits < 0x7F800000u; bits += 997) x.push_back(std::bit_cast<float>(bits));
  const auto n = static_cast<Index>(x.size());
  std::vector<double> tanh(x.size()), sigmoid(x.size()), sigmoid_of_negative(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double e = std::exp(-static_cast<double>(x[i]));
    tanh[i] = std::tanh(static_cast<double>(x[i]));
    sigmoid[i] = 1 / (1 + e);
    sigmoid_of_negative[i] = e / (1 + e);
  }
  std::vector<float> y(x.size()), negative(x);
  for (float& v : negative) v = -v;
  const auto are_near = [&](double sign, const std::vector<double>& expected) {
    bool near = true;  // a NaN is not
    for (std::size_t i = 0; i < x.size(); ++i) near = near && ulps(y[i], sign * expected[i]) < 2.5;
    return near;
  };
  for (const auto& candidate : candidates<detail::TanhKernels<float>>()) {
    CAPTURE(candidate.name);
    candidate.table->forward(n, x.data(), y.data());
    CHECK(are_near(1, tanh));
    candidate.table->forward(n, negative.data(), y.data());
    CHECK(are_near(-1, tanh));
  }
  for (const auto& candidate : candidates<detail::SigmoidKernels<float>>()) {
    CAPTURE(candidate.name);
    candidate.table->forward(n, x.data(), y.data());
    CHECK(are_near(1, sigmoid));
    candidate.table->forward(n, negative.data(), y.data());
    CHECK(are_near(1, sigmoid_of_negative));
  }
}

TEST_CASE("kernels: pixels become [-1, 1], both ends exact") {
  const auto check = []<class T>(T) {
    std::vector<std::uint8_t> pixels(256);
    for (std::size_t i = 0; i < 256; ++i) pixels[i] = static_cast<std::uint8_t>(255 - i);
    for (const auto& candidate : candidates<detail::PixelKernels<T>>())
      for (const Index n : {1, 2, 7, 16, 31, 33, 255, 256}) {
        INFO(candidate.name, ", n = ", n);
        std::vector<T> y(static_cast<std::size_t>(n) + 1, static_cast<T>(mark));
        candidate.table->convert(n, pixels.data(), y.data());
        bool right = y.back() == static_cast<T>(mark);
        for (std::size_t i = 0; i + 1 < y.size(); ++i)
          right = right && y[i] == static_cast<T>(pixels[i]) / T(127.5) - T(1);
        REQUIRE(right);
        CHECK(y[0] == T(1));
        if (n == 256) CHECK(y[255] == T(-1));
      }
  };
  check(1.f);
  check(1.0);
}
