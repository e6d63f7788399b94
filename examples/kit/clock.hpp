// Time as a clock on the wall shows it.
#pragma once

#include <chrono>

namespace kit {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Runs from its making on, except while it is stopped.
class Stopwatch {
 public:
  void stop() { before_ += seconds_since(start_); }
  void resume() { start_ = Clock::now(); }
  /// While it is stopped.
  double seconds() const { return before_; }

 private:
  Clock::time_point start_ = Clock::now();
  double before_ = 0;
};

}  // namespace kit
