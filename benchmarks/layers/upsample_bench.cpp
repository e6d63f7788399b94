#include <eigan/layers/upsample.hpp>

#include "placed.hpp"

using namespace bench;

BENCH_IMAGE_LAYER(Upsample, forward, eigan::Upsample<>(2).at(in));
BENCH_IMAGE_LAYER(Upsample, backward_input, eigan::Upsample<>(2).at(in));
BENCH_IMAGE_LAYER(Upsample_bilinear, forward, eigan::Upsample<>(2, eigan::Interpolation::bilinear).at(in));
BENCH_IMAGE_LAYER(Upsample_bilinear, backward_input, eigan::Upsample<>(2, eigan::Interpolation::bilinear).at(in));
BENCHMARK_MAIN();
