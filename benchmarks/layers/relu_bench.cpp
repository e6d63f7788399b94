#include <eigan/layers/relu.hpp>

#include "elementwise.hpp"

BENCH_ELEMENTWISE_LAYER(ReLU, eigan::ReLU());
