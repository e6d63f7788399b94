// What several tests need: random matrices, and comparison to the last bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <eigan/core/random.hpp>
#include <eigan/core/view.hpp>

namespace support {

using eigan::ConstView;
using eigan::Index;
using eigan::Matrix;
using eigan::View;

/// Uniform in [low, high).
template <class T>
Matrix<T> random_matrix(Index rows, Index cols, std::uint64_t seed, double low = -2, double high = 2) {
  Matrix<T> m(rows, cols);
  eigan::fill_uniform(View<T>(m), low, high, eigan::Rng(seed));
  return m;
}

/// A vector of them, such as parameters or a gradient.
template <class T>
std::vector<T> random_values(std::size_t n, std::uint64_t seed, double low = -2, double high = 2) {
  std::vector<T> values(n);
  eigan::fill_uniform(View<T>(values.data(), static_cast<Index>(n), 1), low, high, eigan::Rng(seed));
  return values;
}

/// Equal bytes: unlike ==, this tells -0 from 0 and finds a NaN equal to itself.
template <class T>
bool same_bits(std::span<const T> a, std::span<const T> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}
template <class T>
bool same_bits(const Matrix<T>& a, const Matrix<T>& b) {
  const auto span = [](const Matrix<T>& m) { return std::span<const T>(m.data(), static_cast<std::size_t>(m.size())); };
  return a.rows() == b.rows() && same_bits(span(a), span(b));
}

template <class T>
std::vector<T> copy_of(std::span<const T> values) {
  return {values.begin(), values.end()};
}

}  // namespace support
