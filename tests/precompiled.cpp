// CMake compiles a precompiled header only for a source that uses it; test_main.cpp cannot, since it configures
// doctest.
#include "precompiled.hpp"
