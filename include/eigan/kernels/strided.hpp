// A matrix as kernels take it.
#pragma once

#include <eigan/core/types.hpp>

namespace eigan::detail {

/// Element (i, j) is data[i * row + j * col].
template <class T>
struct Strided {
  T* data;
  Index row;
  Index col;
};

}  // namespace eigan::detail
