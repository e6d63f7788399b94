// clip_grad_norm, clip_grad_value: a gradient that is too long, or too large somewhere, is cut before the step.
//   norm:   g *= min(1, max_norm / (|g| + 1e-6)),  |g| over all parameters      (torch.nn.utils.clip_grad_norm_)
//   value:  g = min(max(g, -c), c)                                             (torch.nn.utils.clip_grad_value_)
// The norm is summed in double over a fixed number of runs of the gradient, whose sums are added in order, so its bits
// are the same for any number of threads. A NaN stays one. (Pascanu, Mikolov and Bengio 2013)
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>

#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/parallel.hpp>

namespace eigan {
namespace detail {

/// The sum of the squares. Eight sums side by side, for vectors; a float's square is exact in double, and a double's
/// is added in one rounding, so the compiler's flags do not matter.
template <class T>
double sum_of_squares(std::span<const T> values) {
  constexpr std::size_t lanes = 8;
  std::array<double, lanes> sums{};
  const std::size_t whole = values.size() / lanes * lanes;
  const auto add = [](double& sum, T value) {
    const auto wide = static_cast<double>(value);
    if constexpr (std::is_same_v<T, float>)
      sum += wide * wide;
    else
      sum = std::fma(wide, wide, sum);
  };
  for (std::size_t i = 0; i < whole; i += lanes)
    for (std::size_t k = 0; k < lanes; ++k) add(sums[k], values[i + k]);
  for (std::size_t i = whole; i < values.size(); ++i) add(sums[i - whole], values[i]);
  double all = 0;
  for (const double sum : sums) all += sum;
  return all;
}

inline void check_clip(const char* function, const char* what, double bound) {
  if (is_nan(bound) || !(bound > 0)) fail_contract(function, ": ", what, " must be more than 0, is ", bound);
}

/// What the gradient is multiplied by so that its norm is at most max_norm; NaN stays NaN.
inline double clip_factor(double norm, double max_norm) {
  const double factor = max_norm / (norm + 1e-6);
  return factor >= 1 ? 1 : factor;
}

}  // namespace detail

/// The Euclidean norm of a gradient, or of any other buffer.
template <class T>
double grad_norm(std::span<const T> gradient, Threads threads = {}) {
  constexpr Index runs = 64;
  std::array<double, runs> sums{};
  const Index size = std::ssize(gradient);
  const double work = detail::memory_access * static_cast<double>(size);
  detail::parallel_for(runs, work, threads, [&](Index run) {
    const Index first = detail::part_begin(size, run, runs), last = detail::part_begin(size, run + 1, runs);
    sums[static_cast<std::size_t>(run)] = detail::sum_of_squares(
        gradient.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first)));
  });
  double all = 0;
  for (const double sum : sums) all += sum;
  return std::sqrt(all);
}

/// Shortens a gradient to a norm of at most max_norm and returns the norm that it had. Throws std::invalid_argument
/// unless max_norm is more than 0.
template <class T>
double clip_grad_norm(std::span<T> gradient, double max_norm, Threads threads = {}) {
  detail::check_clip("eigan::clip_grad_norm", "max_norm", max_norm);
  const double norm = grad_norm(std::span<const T>(gradient), threads);
  const T factor = static_cast<T>(detail::clip_factor(norm, max_norm));
  if (factor == T(1)) return norm;
  const double work = 2 * detail::memory_access * static_cast<double>(gradient.size());
  detail::parallel_ranges(std::ssize(gradient), work, threads, [&](Index first, Index last) {
    for (Index i = first; i < last; ++i) gradient[static_cast<std::size_t>(i)] *= factor;
  });
  return norm;
}

/// Cuts each element to [-c, c]. Throws std::invalid_argument unless c is more than 0.
template <class T>
void clip_grad_value(std::span<T> gradient, double c) {
  detail::check_clip("eigan::clip_grad_value", "c", c);
  const T bound = static_cast<T>(c);
  for (T& g : gradient) g = std::clamp(g, -bound, bound);
}

}  // namespace eigan
