// All kernels: for the one translation unit that compiles them for a whole program (see kernels/dispatch.hpp).
#pragma once

#include <eigan/kernels/adam.hpp>
#include <eigan/kernels/convolution.hpp>
#include <eigan/kernels/elementwise.hpp>
#include <eigan/kernels/products.hpp>
#include <eigan/kernels/random.hpp>
#include <eigan/kernels/rows.hpp>
