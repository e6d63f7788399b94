#include <eigan/layers/silu.hpp>

#include "elementwise.hpp"

BENCH_ELEMENTWISE_LAYER(SiLU, eigan::SiLU());
