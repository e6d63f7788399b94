// Signals that ask a training to end: Control-C, the system's TERM, and HUP of a terminal that is closed. The first one
// asks it to stop after its current step and to keep what it has; the second ends the program at once.
#pragma once

#include <csignal>
#include <cstddef>
#include <iterator>

namespace kit {

class Interrupt {
 public:
  static void listen() {
    for (std::size_t i = 0; i < std::size(asking); ++i) {
      // Whoever started the program may have told it to ignore some of them, as nohup does.
      heard_[i] = std::signal(asking[i], remember) != SIG_IGN;
      if (heard_[i] == 0) std::signal(asking[i], SIG_IGN);
    }
    std::signal(SIGPIPE, SIG_IGN);  // whoever read the messages may leave; the training goes on
    std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error like a full disk
  }
  /// The signal that came, or 0.
  static int received() { return signal_; }

 private:
  static void remember(int signal) {
    signal_ = signal;
    for (std::size_t i = 0; i < std::size(asking); ++i)
      if (heard_[i] != 0) std::signal(asking[i], SIG_DFL);
  }
  static constexpr int asking[] = {SIGINT, SIGTERM, SIGHUP};
  static inline volatile std::sig_atomic_t heard_[std::size(asking)] = {};  // those that nobody had told it to ignore
  static inline volatile std::sig_atomic_t signal_ = 0;
};

}  // namespace kit
