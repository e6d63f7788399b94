#include <eigan/layers/elu.hpp>

#include "elementwise.hpp"

BENCH_ELEMENTWISE_LAYER(ELU, eigan::ELU());
