// gather_columns, gather: the samples that a batch's indices name, out of a data set in memory; in NumPy, x[:,
// indices].
#pragma once

#include <algorithm>
#include <ranges>
#include <span>
#include <type_traits>
#include <utility>

#include <eigan/core/error.hpp>
#include <eigan/core/view.hpp>
#include <eigan/losses/label_range.hpp>

namespace eigan {
namespace detail {
template <class Number>
std::size_t checked_index(const char* function, Number index, std::size_t size) {
  if (std::cmp_less(index, 0) || std::cmp_greater_equal(index, size))
    fail_contract("eigan::", function, ": sample ", +index, " of ", size);
  return static_cast<std::size_t>(index);
}
}  // namespace detail

/// Writes column indices[j] of x to column j of `out`, which may have room for more, and returns the columns that were
/// written. Throws std::invalid_argument for an index that is no column, for other features and for too little room.
template <class T, LabelRange Indices>
View<T> gather_columns(std::type_identity_t<ConstView<T>> x, const Indices& indices, View<T> out) {
  const auto count = static_cast<Index>(std::ranges::size(indices));
  if (out.rows() != x.rows() || out.cols() < count)
    detail::fail_contract("eigan::gather_columns: out is ", out.rows(), " x ", out.cols(), ", expected ", x.rows(),
                          " x ", count, " or more columns");
  Index column = 0;
  for (const auto index : indices)
    out.col(column++) =
        x.col(static_cast<Index>(detail::checked_index("gather_columns", index, static_cast<std::size_t>(x.cols()))));
  return out.columns(0, count);
}

/// Writes values[indices[j]], such as labels, to out[j] and returns what was written. Throws std::invalid_argument for
/// an index that is none of theirs, and for too little room.
template <class T, LabelRange Indices>
std::span<T> gather(std::type_identity_t<std::span<const T>> values, const Indices& indices, std::span<T> out) {
  const std::size_t count = std::ranges::size(indices);
  if (out.size() < count)
    detail::fail_contract("eigan::gather: room for ", out.size(), " values, expected ", count, " or more");
  std::size_t place = 0;
  for (const auto index : indices) out[place++] = values[detail::checked_index("gather", index, values.size())];
  return out.first(count);
}

}  // namespace eigan
