#include <eigan/layers/prelu.hpp>

#include "elementwise.hpp"

BENCH_ELEMENTWISE_LAYER(PReLU, eigan::PReLU());
