// Runs every variant of train.cpp that is linked in and prints what it computed.
#include "variants.hpp"

#include <cstdio>

std::vector<Variant>& variants() {
  static std::vector<Variant> all;
  return all;
}

int main() {
  for (const Variant& variant : variants())
    std::printf("%s %016llx\n", variant.name, static_cast<unsigned long long>(variant.train()));
}
