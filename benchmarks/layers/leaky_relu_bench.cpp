#include <eigan/layers/leaky_relu.hpp>

#include "elementwise.hpp"

BENCH_ELEMENTWISE_LAYER(LeakyReLU, eigan::LeakyReLU(0.2));
