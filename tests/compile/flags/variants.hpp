// The variants of train.cpp that are linked into a program enter themselves here.
#pragma once

#include <cstdint>
#include <vector>

struct Variant {
  const char* name;
  std::uint64_t (*train)();
};

std::vector<Variant>& variants();
