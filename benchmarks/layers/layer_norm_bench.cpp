#include <eigan/layers/layer_norm.hpp>

#include "placed.hpp"

using namespace bench;

BENCH_IMAGE_LAYER(LayerNorm, forward, eigan::LayerNorm<>(in.channels, in.height, in.width).at(in));
BENCH_IMAGE_LAYER(LayerNorm, backward_input, eigan::LayerNorm<>(in.channels, in.height, in.width).at(in));
BENCH_IMAGE_LAYER(LayerNorm, backward_params, eigan::LayerNorm<>(in.channels, in.height, in.width).at(in));
BENCHMARK_MAIN();
