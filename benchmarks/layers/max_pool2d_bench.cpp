#include <eigan/layers/max_pool2d.hpp>

#include "placed.hpp"

using namespace bench;

BENCH_IMAGE_LAYER(MaxPool2d, forward, eigan::MaxPool2d<>(2).at(in));
BENCH_IMAGE_LAYER(MaxPool2d, backward_input, eigan::MaxPool2d<>(2).at(in));
BENCHMARK_MAIN();
