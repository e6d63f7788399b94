// What optimisers' kernels share: numbers too small to be normal are taken for zeros.
#pragma once

#include <eigan/kernels/dispatch.hpp>

#define EIGAN_KERNELS <eigan/kernels/denormals.inc>
#include <eigan/kernels/for_each_isa.inc>
