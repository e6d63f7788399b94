// parallel_for: the only place that knows OpenMP. Without OpenMP it is a loop.
//
// Work items are independent and each is computed the same way whoever takes it, so results never depend on the
// number of threads. Small work, and work asked for inside somebody else's parallel region, stays on the calling
// thread.
#pragma once

#include <algorithm>
#include <exception>

#include <eigan/core/types.hpp>

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace eigan {

/// How many threads a call may use. 0: as many as OpenMP would (OMP_NUM_THREADS, or all processors).
struct Threads {
  int count = 0;  ///< at most; 0 for as many as OpenMP would
};

namespace detail {

/// Below this many floating-point operations, starting threads costs more than it saves.
inline constexpr double parallel_threshold = 400e3;

inline int usable_threads([[maybe_unused]] Threads threads, [[maybe_unused]] double work) {
#if defined(_OPENMP)
  if (threads.count == 1 || work < parallel_threshold || omp_in_parallel()) return 1;
  return threads.count > 0 ? threads.count : omp_get_max_threads();
#else
  return 1;
#endif
}

/// Calls f(part, parts) on each of `parts` threads, part = 0, ..., parts - 1. What a part throws reaches the caller
/// when all parts have ended; of several exceptions, one.
template <class F>
void parallel(int parts, const F& f) {
#if defined(_OPENMP)
  if (parts > 1) {
    // The run time may grant fewer threads than were asked for.
    std::exception_ptr error;
#pragma omp parallel num_threads(parts)
    try {
      f(omp_get_thread_num(), omp_get_num_threads());
    } catch (...) {
#pragma omp critical(eigan_parallel_error)
      error = std::current_exception();
    }
    if (error) std::rethrow_exception(error);
    return;
  }
#endif
  static_cast<void>(parts);
  f(0, 1);
}

/// Calls f(first, last) for contiguous ranges of equal length that make up [0, n). `work`: floating-point operations in
/// all. As many threads as may be used take part, even where n is smaller: a run time whose team changes its size from
/// one region to the next starts and ends threads each time.
template <class F>
void parallel_ranges(Index n, double work, Threads threads, const F& f) {
  parallel(usable_threads(threads, work), [&](int part, int of) {
    const Index first = n * part / of, last = n * (part + 1) / of;
    if (first < last) f(first, last);
  });
}

/// The same with f(i) for each i.
template <class F>
void parallel_for(Index n, double work, Threads threads, const F& f) {
  parallel_ranges(n, work, threads, [&](Index first, Index last) {
    for (Index i = first; i < last; ++i) f(i);
  });
}

}  // namespace detail

/// The number of threads that a large piece of work would use.
inline int thread_count(Threads threads = {}) {
  return detail::usable_threads(threads, 1e12);
}

}  // namespace eigan
