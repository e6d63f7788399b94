// The large headers that nearly every test includes, precompiled by tests/CMakeLists.txt.
#pragma once

#include <doctest/doctest.h>

#include <eigan/core/eigen.hpp>
#include <eigan/kernels.hpp>
