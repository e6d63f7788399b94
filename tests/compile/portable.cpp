// The portable kernels, in a file that -march allows newer instructions: portable.awk finds none of those in them.
#include <eigan/kernels.hpp>

namespace eigan::detail {

extern const void* const portable_tables[];
const void* const portable_tables[] = {
    &portable::TableOf<ProductKernels<float>>::table,  &portable::TableOf<RowKernels<float>>::table,
    &portable::TableOf<ReluKernels<float>>::table,     &portable::TableOf<LeakyReluKernels<float>>::table,
    &portable::TableOf<TanhKernels<float>>::table,     &portable::TableOf<SigmoidKernels<float>>::table,
    &portable::TableOf<PixelKernels<float>>::table,    &portable::TableOf<DropoutKernels<float>>::table,
    &portable::TableOf<UniformKernels<float>>::table,  &portable::TableOf<AdamKernels<float>>::table,
    &portable::TableOf<ProductKernels<double>>::table, &portable::TableOf<RowKernels<double>>::table,
    &portable::TableOf<ReluKernels<double>>::table,    &portable::TableOf<LeakyReluKernels<double>>::table,
    &portable::TableOf<TanhKernels<double>>::table,    &portable::TableOf<SigmoidKernels<double>>::table,
    &portable::TableOf<PixelKernels<double>>::table,   &portable::TableOf<DropoutKernels<double>>::table,
    &portable::TableOf<UniformKernels<double>>::table, &portable::TableOf<AdamKernels<double>>::table,
};

}  // namespace eigan::detail
