#include <eigan/layers/tanh.hpp>

#include "elementwise.hpp"

BENCH_ELEMENTWISE_LAYER(Tanh, eigan::Tanh());
