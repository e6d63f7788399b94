// What regions are made of: their parts, the mark of a thread that is inside one, and what threads need of the system.
#pragma once

#include <limits>
#include <version>

// WebAssembly, and standard libraries that were built without threads: a region is its one part.
#if (defined(__wasi__) && !defined(_REENTRANT)) || (defined(__EMSCRIPTEN__) && !defined(__EMSCRIPTEN_PTHREADS__)) || \
    defined(_LIBCPP_HAS_NO_THREADS) || (defined(_LIBCPP_HAS_THREADS) && !(_LIBCPP_HAS_THREADS + 0)) ||               \
    (defined(__GLIBCXX__) && !defined(_GLIBCXX_HAS_GTHREADS))
#define EIGAN_NO_THREADS
#endif

#if !defined(EIGAN_NO_THREADS)
#include <algorithm>
#include <atomic>
#include <thread>

#if defined(__unix__) || defined(__APPLE__)
#define EIGAN_POSIX_THREADS
#include <pthread.h>
#include <signal.h>
#endif
#endif

namespace eigan::detail {

/// A part of a region: f(context, part, parts).
using Part = void (*)(const void* context, int part, int parts);

/// Whether this thread is at work on a part. What it asks for then stays with it.
inline thread_local constinit bool inside_region = false;

struct InsideRegion {
  InsideRegion() { inside_region = true; }
  InsideRegion(const InsideRegion&) = delete;
  InsideRegion& operator=(const InsideRegion&) = delete;
  ~InsideRegion() { inside_region = outside; }
  const bool outside = inside_region;
};

#if !defined(EIGAN_NO_THREADS)

/// What a loop does that waits for another thread.
inline void pause_processor() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");  // `yield` does nothing on most processors
#else
  std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

/// That the machine has.
inline int processors() {
  static const int all = static_cast<int>(std::max(std::thread::hardware_concurrency(), 1u));
  return all;
}

/// While it lives, threads are started with all signals blocked, so that a program's own threads handle them; but for
/// those that a thread's own fault raises.
class BlockedSignals {
 public:
  BlockedSignals() {
#if defined(EIGAN_POSIX_THREADS)
    sigset_t most;
    sigfillset(&most);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) sigdelset(&most, fault);
    pthread_sigmask(SIG_SETMASK, &most, &before_);
#endif
  }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals() {
#if defined(EIGAN_POSIX_THREADS)
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
#endif
  }

 private:
#if defined(EIGAN_POSIX_THREADS)
  sigset_t before_;
#endif
};

#else

/// Nobody tells; OpenMP may have threads all the same.
inline int processors() {
  return std::numeric_limits<int>::max();
}

#endif

}  // namespace eigan::detail
