// Included in front of every test's text by tests/CMakeLists.txt: the vector kernels are compiled once, in
// shared_kernels.cpp, instead of once for each test program. A project of many translation units can do the same.
#pragma once

#include <eigan/core/simd/kernels.hpp>

namespace eigan::detail {
extern template const KernelTable<float>& kernels_for<float>(Isa);
extern template const KernelTable<double>& kernels_for<double>(Isa);
}  // namespace eigan::detail
