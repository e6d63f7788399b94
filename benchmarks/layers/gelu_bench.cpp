#include <eigan/layers/gelu.hpp>

#include "elementwise.hpp"

BENCH_ELEMENTWISE_LAYER(GELU, eigan::GELU());
