// Processes of the benchmark's own: one that runs a function, and ones that keep processors busy.
#pragma once

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <utility>
#include <vector>

namespace bench {

/// Runs f() and ends with this object, or with the program if that is killed. Fork it before there are threads, so that
/// it may have its own.
class Process {
 public:
  template <class F>
  explicit Process(const F& f) : id_(fork()) {
    if (id_ < 0) throw std::runtime_error("cannot start another process");
    if (id_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      f();
      _exit(0);
    }
  }
  Process(Process&& other) noexcept : id_(std::exchange(other.id_, 0)) {}
  Process& operator=(Process&&) = delete;
  ~Process() {
    if (id_ <= 0) return;
    kill(id_, SIGKILL);
    waitpid(id_, nullptr, 0);
  }

 private:
  pid_t id_;
};

/// So many processes that do nothing but count.
inline std::vector<Process> busy_processes(int count) {
  std::vector<Process> all;
  for (; count > 0; --count)
    all.emplace_back([] {
      for (volatile unsigned n = 0;;) n = n + 1;
    });
  return all;
}

}  // namespace bench
