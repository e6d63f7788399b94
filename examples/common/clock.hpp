// Time as a clock on the wall shows it.
#pragma once

#include <chrono>

namespace example {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace example
