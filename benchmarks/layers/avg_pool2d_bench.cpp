#include <eigan/layers/avg_pool2d.hpp>

#include "placed.hpp"

using namespace bench;

BENCH_IMAGE_LAYER(AvgPool2d, forward, eigan::AvgPool2d<>(2).at(in));
BENCH_IMAGE_LAYER(AvgPool2d, backward_input, eigan::AvgPool2d<>(2).at(in));
BENCHMARK_MAIN();
