// Counts what a measured function allocates. Include it in one file of a program.
#pragma once

#include "../tests/allocations.hpp"

namespace bench {

/// f, with what it allocates added to `count`.
template <class F>
auto counting_allocations(long& count, const F& f) {
  return [&count, &f] {
    const long before = support::allocations();
    f();
    count += support::allocations() - before;
  };
}

}  // namespace bench
