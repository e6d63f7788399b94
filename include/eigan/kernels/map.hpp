// What element-wise kernels share: loops over elements, and the exponential function.
#pragma once

#include <eigan/kernels/dispatch.hpp>

#define EIGAN_KERNELS <eigan/kernels/map.inc>
#include <eigan/kernels/for_each_isa.inc>
