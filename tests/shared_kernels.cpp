#include <eigan/core/simd/kernels.hpp>

namespace eigan::detail {
template const KernelTable<float>& kernels_for<float>(Isa);
template const KernelTable<double>& kernels_for<double>(Isa);
}  // namespace eigan::detail
