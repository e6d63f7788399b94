#include <eigan/layers/batch_norm.hpp>

#include "placed.hpp"

using namespace bench;

BENCH_IMAGE_LAYER(BatchNorm2d, forward, eigan::BatchNorm2d<>(in.channels).at(in));
BENCH_IMAGE_LAYER(BatchNorm2d, backward_input, eigan::BatchNorm2d<>(in.channels).at(in));
BENCH_IMAGE_LAYER(BatchNorm2d, backward_params, eigan::BatchNorm2d<>(in.channels).at(in));
BENCHMARK_MAIN();
