// Control-C: the first signal asks the training to stop after its current step and to keep what it has; the second
// ends the program at once.
#pragma once

#include <csignal>

namespace example {

class Interrupt {
 public:
  static void listen() {
    std::signal(SIGINT, remember);
    std::signal(SIGTERM, remember);
    std::signal(SIGPIPE, SIG_IGN);  // whoever read the messages may leave; the training goes on
  }
  /// The signal that came, or 0.
  static int received() { return signal_; }

 private:
  static void remember(int signal) {
    signal_ = signal;
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
  }
  static inline volatile std::sig_atomic_t signal_ = 0;
};

}  // namespace example
