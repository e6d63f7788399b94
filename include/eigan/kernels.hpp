// All kernels: for the one translation unit that compiles them for a whole program (see kernels/dispatch.hpp).
#pragma once

#include <eigan/kernels/activations.hpp>
#include <eigan/kernels/adam.hpp>
#include <eigan/kernels/columns.hpp>
#include <eigan/kernels/convolution.hpp>
#include <eigan/kernels/elementwise.hpp>
#include <eigan/kernels/normal.hpp>
#include <eigan/kernels/prelu.hpp>
#include <eigan/kernels/products.hpp>
#include <eigan/kernels/random.hpp>
#include <eigan/kernels/rmsprop.hpp>
#include <eigan/kernels/rows.hpp>
