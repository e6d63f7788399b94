// The large headers that nearly every test includes, precompiled by tests/CMakeLists.txt.
#pragma once

#include <doctest/doctest.h>

#include <Eigen/Core>

#include <eigan/kernels.hpp>
