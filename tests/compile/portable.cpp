// The portable kernels, in a file that -march allows newer instructions: portable.awk finds none of those in them.
#include <eigan/kernels.hpp>

namespace eigan::detail {

extern const void* const portable_tables[];
const void* const portable_tables[] = {
    &portable::TableOf<ProductKernels<float>>::table,     &portable::TableOf<RowKernels<float>>::table,
    &portable::TableOf<ElementwiseKernels<float>>::table, &portable::TableOf<RandomKernels<float>>::table,
    &portable::TableOf<AdamKernels<float>>::table,        &portable::TableOf<ProductKernels<double>>::table,
    &portable::TableOf<RowKernels<double>>::table,        &portable::TableOf<ElementwiseKernels<double>>::table,
    &portable::TableOf<RandomKernels<double>>::table,     &portable::TableOf<AdamKernels<double>>::table,
};

}  // namespace eigan::detail
