// find_non_finite: where a model's parameters have stopped being numbers. Training that diverges shows it here first: a
// gradient that is infinite or NaN makes every parameter that it updates NaN.
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

/// The first parameter that is infinite or NaN, as "3.weight[17, 4] is nan"; nothing if all are finite.
template <class M>
std::optional<std::string> find_non_finite(const M& model, Threads threads = {}) {
  const std::span params = model.params();
  if (all_finite(std::span(params), threads)) return std::nullopt;

  for (const Parameter& p : model.parameters()) {
    for (Index i = 0; i < p.size(); ++i) {
      const auto value = params[static_cast<std::size_t>(p.offset + i)];
      if (all_finite(std::span(&value, 1))) continue;
      const Index row = i % p.rows;
      return p.rank == 1 ? detail::concat(p.name, '[', row, "] is ", value)
                         : detail::concat(p.name, '[', row, ", ", i / p.rows, "] is ", value);
    }
  }
  return std::nullopt;
}

}  // namespace eigan
