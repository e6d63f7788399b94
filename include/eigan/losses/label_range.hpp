// LabelRange: class numbers of any integral type, in contiguous memory.
#pragma once

#include <concepts>
#include <cstddef>
#include <ranges>
#include <span>
#include <utility>

#include <eigan/core/error.hpp>
#include <eigan/core/types.hpp>

namespace eigan {

/// Whole numbers in contiguous memory, such as std::vector<std::uint8_t> or std::span<const int>.
template <class R>
concept LabelRange =
    std::ranges::contiguous_range<R> && std::ranges::sized_range<R> && std::integral<std::ranges::range_value_t<R>>;

namespace detail {

/// labels[i], of a sample or of one of its `pixels` pixels, or std::invalid_argument if it is no class.
template <class Label, std::size_t extent>
Index checked_label(const char* where, std::span<Label, extent> labels, Index i, Index classes, Index pixels = 1) {
  const auto given = +labels[static_cast<std::size_t>(i)];  // characters are numbers, too
  if (std::cmp_less(given, 0) || std::cmp_greater_equal(given, classes))
    fail_contract("eigan::", where, ": sample ", i / pixels, pixels > 1 ? concat(", pixel ", i % pixels) : "",
                  ": expected a label from 0 to ", classes - 1, ", found ", given);
  return static_cast<Index>(given);
}

}  // namespace detail
}  // namespace eigan
