#include <eigan/layers/sigmoid.hpp>

#include "elementwise.hpp"

BENCH_ELEMENTWISE_LAYER(Sigmoid, eigan::Sigmoid());
