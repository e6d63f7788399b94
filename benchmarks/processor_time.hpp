// The time that a function took of its own thread: what other programs take from it in the meantime does not count.
#pragma once

#include <ctime>

namespace bench {

inline double processor_seconds() {
  std::timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

template <class F>
double time_of(F&& run) {
  const double start = processor_seconds();
  run();
  return processor_seconds() - start;
}

}  // namespace bench
