#include <eigan/layers/instance_norm2d.hpp>

#include "placed.hpp"

using namespace bench;

BENCH_IMAGE_LAYER(InstanceNorm2d, forward, eigan::InstanceNorm2d<>(in.channels, 1e-5, true).at(in));
BENCH_IMAGE_LAYER(InstanceNorm2d, backward_input, eigan::InstanceNorm2d<>(in.channels, 1e-5, true).at(in));
BENCH_IMAGE_LAYER(InstanceNorm2d, backward_params, eigan::InstanceNorm2d<>(in.channels, 1e-5, true).at(in));
BENCHMARK_MAIN();
