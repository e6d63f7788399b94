// find_non_finite: where a model's parameters or its state have stopped being numbers. Training that diverges shows it
// here first: a gradient that is infinite or NaN makes every parameter that it updates NaN, a batch every running
// average.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/core/parameter.hpp>

namespace eigan {

/// True if there is neither an infinity nor a NaN among the values. Looks at the bits, so that no compiler's flag for
/// "finite mathematics" removes it.
template <std::floating_point T>
bool all_finite(std::span<const T> values) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr auto exponent = std::bit_cast<Bits>(std::numeric_limits<T>::infinity());
  Bits found = 0;  // without a jump in the loop, so that it becomes vector instructions
  for (const T value : values) found |= static_cast<Bits>((std::bit_cast<Bits>(value) & exponent) == exponent);
  return found == 0;
}

/// all_finite on several threads; the values may lie anywhere.
template <std::floating_point T>
bool all_finite(std::span<const T> values, Threads threads) {
  constexpr Index part = 1 << 14;
  const Index size = std::ssize(values);
  const double work = detail::memory_access * static_cast<double>(size);
  std::atomic<bool> finite = true;
  detail::parallel_for((size + part - 1) / part, work, threads, [&](Index p) {
    const auto some =
        values.subspan(static_cast<std::size_t>(p * part), static_cast<std::size_t>(std::min(part, size - p * part)));
    if (!all_finite(some)) finite.store(false, std::memory_order_relaxed);
  });
  return finite;
}

namespace detail {

/// "[17, 4]": the place of element number i, in the file's order, of a tensor of these extents.
inline std::string place_text(const std::vector<Index>& extents, Index i) {
  std::string text;
  for (std::size_t axis = extents.size(); axis-- > 0; i /= extents[axis])
    text = concat(i % extents[axis], text.empty() ? "" : ", ", text);
  return extents.empty() ? text : '[' + text + ']';
}

template <class T>
std::optional<std::string> find_non_finite(std::span<const T> values, const std::vector<Parameter>& tensors) {
  for (const Parameter& p : tensors) {
    std::optional<std::string> found;
    Index i = 0;
    p.for_each_in_file_order([&](Index place) {
      const T value = values[static_cast<std::size_t>(p.offset + place)];
      if (!found && !all_finite(std::span(&value, 1)))
        found = concat(p.name, place_text(p.file_shape(), i), " is ", value);
      ++i;
    });
    if (found) return found;
  }
  return std::nullopt;
}

}  // namespace detail

/// The first parameter, or number of the state, that is infinite or NaN, with its place in the tensor as files and
/// PyTorch have it: "3.weight[17, 4] is nan"; nothing if all are finite.
template <class M>
std::optional<std::string> find_non_finite(const M& model, Threads threads = {}) {
  if (!all_finite(std::span(model.params()), threads))
    return detail::find_non_finite(std::span(model.params()), model.parameters());
  if (!all_finite(std::span(model.state()), threads))
    return detail::find_non_finite(std::span(model.state()), model.states());
  return std::nullopt;
}

}  // namespace eigan
