// What every optimiser refuses: settings that are negative or no numbers, buffers that are not as long as its own, and
// ranges that do not lie in them.
#pragma once

#include <span>

#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/types.hpp>

namespace eigan::detail {

/// Throws std::invalid_argument unless 0 <= value < infinity, in T as well.
template <class T>
void check_setting(const char* optimizer, const char* setting, double value) {
  if (!(at_least(value, 0) && is_finite(static_cast<double>(static_cast<T>(value)))))
    fail_contract(optimizer, ": ", setting, " must be >= 0 and finite, is ", value);
}
/// Throws std::invalid_argument unless 0 <= value < 1.
inline void check_share(const char* optimizer, const char* setting, double value) {
  if (!(at_least(value, 0) && value < 1)) fail_contract(optimizer, ": ", setting, " must be in [0, 1), is ", value);
}

/// Throws std::invalid_argument unless there are `size` parameters and gradients and [first, first + count) is a range
/// of them. `optimizer`: its name for the message.
template <class T>
void check_update(const char* optimizer, Index size, std::span<T> params, std::span<const T> grad, Index first,
                  Index count) {
  if (std::ssize(params) != size || params.size() != grad.size())
    fail_contract(optimizer, ": expected ", size, " parameters and gradients, got ", params.size(), " and ",
                  grad.size());
  if (first < 0 || count < 0 || count > size - first)
    fail_contract(optimizer, ": there are ", size, " parameters, asked to update ", count, " from ", first);
}

}  // namespace eigan::detail
