#include <eigan/layers/softplus.hpp>

#include "elementwise.hpp"

BENCH_ELEMENTWISE_LAYER(Softplus, eigan::Softplus());
