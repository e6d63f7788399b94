#include <eigan/layers/dropout.hpp>

#include "elementwise.hpp"

BENCH_ELEMENTWISE_LAYER(Dropout, eigan::Dropout(0.3));
