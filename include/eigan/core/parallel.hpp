// parallel_for: the only place that opens regions, by OpenMP or by the pool (core/engine.hpp).
//
// Work items are independent and each is computed the same way on every thread, so results never depend on the
// number of threads. Small work stays on the calling thread, and so does work asked for inside a parallel region or in
// a process that has lost OpenMP's helpers to fork().
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <exception>

#include <eigan/core/crowd.hpp>
#include <eigan/core/engine.hpp>
#include <eigan/core/fork.hpp>
#include <eigan/core/pool.hpp>
#include <eigan/core/processors.hpp>
#include <eigan/core/types.hpp>

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace eigan {

/// How many threads a call may use.
struct Threads {
  /// At most; 0 for as many as the work is worth, of those that OMP_NUM_THREADS allows, with either engine, and that
  /// the process has processors for (its affinity, its control group).
  int count = 0;
};

namespace detail {

// Floating-point operations, of which a core does some 50 a nanosecond. A region costs a microsecond while the helpers
// are still looking for work, 60 once they sleep, and a time slice or more where other programs keep them from running.
// So by default work of up to 80 microseconds stays on the calling thread, and no thread gets less than 20.
inline constexpr double parallel_threshold = 4e6;
inline constexpr double work_per_thread = 1e6;
/// A caller who names a number of threads gets it, except where a region is sure to cost more than it saves.
inline constexpr double named_threshold = 400e3;
/// What a number costs that is read from memory or written there, for work that does little else.
inline constexpr double memory_access = 5;

/// How many of `most` threads work is worth by default: all, or else a power of two, because a run time whose team
/// changes its size from one region to the next starts and ends threads each time.
constexpr int worthwhile_threads(double work, int most) {
  if (work < parallel_threshold) return 1;
  const double threads = work / work_per_thread;
  return threads < most ? static_cast<int>(std::bit_floor(static_cast<unsigned>(threads))) : most;
}

/// Processors for the threads of a region that the calling thread would open.
inline int usable_processors() {
  static const int granted = granted_processors();
#if defined(_OPENMP)
  // Where OpenMP binds its threads to places, this one's own place says nothing of the others'.
  if (active_engine() == Engine::openmp && omp_get_proc_bind() != omp_proc_bind_false)
    return std::min(granted, omp_get_num_procs());
#endif
  return std::min(granted, allowed_processors());
}

/// By OMP_NUM_THREADS, or all processors.
inline int default_threads() {
#if defined(_OPENMP)
  return std::min(omp_get_max_threads(), usable_processors());
#elif defined(EIGAN_NO_THREADS)
  return 1;
#else
  static const int named = [] {
    const char* const text = std::getenv("OMP_NUM_THREADS");
    const int number = text != nullptr ? std::atoi(text) : 0;  // of a list the first
    return number > 0 ? number : no_limit;
  }();
  const int usable = usable_processors();
  return std::min(named, usable < no_limit ? usable : processors());
#endif
}

/// Whether what this thread asks for must stay with it. Throws Error where the environment asks for an engine that
/// there is not.
inline bool on_its_own() {
#if defined(EIGAN_NO_THREADS) && !defined(_OPENMP)
  return true;
#else
  if (inside_region) return true;
#if defined(_OPENMP)
  if (omp_in_parallel()) return true;
#endif
  if (active_engine() == Engine::openmp) return helpers_lost();
#if defined(EIGAN_NO_THREADS)
  return true;
#else
  return false;
#endif
#endif
}

/// For work of any size.
inline int most_threads(Threads threads) {
  if (threads.count == 1 || on_its_own()) return 1;
  return threads.count > 0 ? threads.count : default_threads();
}

inline int usable_threads(Threads threads, double work) {
  const bool named = threads.count > 0;
  if (work < (named ? named_threshold : parallel_threshold)) return 1;
  const int most = most_threads(threads);
  if (named || most == 1) return most;  // and no clock is read, which not every system has
  return crowd.is_felt(Crowd::now()) ? 1 : worthwhile_threads(work, most);
}

#if defined(_OPENMP)
/// The run time may grant fewer threads than were asked for.
inline void openmp_region(int parts, Part f, const void* context) {
  const Crowd::Time begin = crowd.begin();
  Crowd::Time own_end = begin;
  int granted = 1;
  const auto compute = [&] {
    f(context, omp_get_thread_num(), omp_get_num_threads());
    if (omp_get_thread_num() == 0) own_end = Crowd::now(), granted = omp_get_num_threads();
  };
#if defined(__cpp_exceptions)
  std::exception_ptr error;
#pragma omp parallel num_threads(parts)
  try {
    compute();
  } catch (...) {
#pragma omp critical(eigan_parallel_error)
    error = std::current_exception();
  }
  if (error) std::rethrow_exception(error);
#else
#pragma omp parallel num_threads(parts)
  compute();
#endif
  if (granted <= processors()) crowd.record(begin, own_end, Crowd::now(), 1, granted);
}
#endif

/// The region itself, one for all functions.
inline void parallel_region([[maybe_unused]] int parts, Part f, const void* context) {
#if defined(_OPENMP)
  if (active_engine() == Engine::openmp) return openmp_region(parts, f, context);
#endif
#if !defined(EIGAN_NO_THREADS)
  if (Pool* const pool = inside_region ? nullptr : Pool::get()) return pool->region(parts, f, context);
#endif
  f(context, 0, 1);
}

// What a benchmark wants to live as long as a region, and as each of its parts.
#if !defined(EIGAN_TIME_REGION)
#define EIGAN_TIME_REGION
#define EIGAN_TIME_PART
#endif

/// Calls f(part, parts) for part = 0, ..., parts - 1, with as many parts as were asked for or fewer, on as many threads
/// or fewer. What a part throws reaches the caller when all parts have ended; of several exceptions, one.
template <class F>
void parallel(int parts, const F& f) {
  if (parts <= 1) return f(0, 1);
  EIGAN_TIME_REGION
  const auto call = [](const void* context, int part, int of) {
    EIGAN_TIME_PART (*static_cast<const F*>(context))(part, of);
  };
  parallel_region(parts, call, &f);
}

/// Where part 0, ..., `of` begins, when [0, n) is divided equally.
constexpr Index part_begin(Index n, Index part, Index of) {
  return static_cast<Index>(std::int64_t{n} * part / of);  // Index may have 32 bits
}

/// The same, where the first of unequal parts are the longest. Part 0 is the caller's, by whose time the crowd judges
/// what a region saves: with nothing to do, or with one of three items beside a helper with two, it would see a loss.
constexpr Index range_begin(Index n, Index part, Index of) {
  return static_cast<Index>((std::int64_t{n} * part + of - 1) / of);
}

/// Calls f(first, last) for contiguous ranges of equal length that make up [0, n). `work`: floating-point operations in
/// all. There is a range for each usable thread, even where n is smaller; a single item stays on the calling thread,
/// whose caches may hold what it reads.
template <class F>
void parallel_ranges(Index n, double work, Threads threads, const F& f) {
  const int parts = n > 1 ? usable_threads(threads, work) : 1;
  if (n > 0 && parts == 1) return f(Index{0}, n);  // without the divisions, which small networks feel
  parallel(parts, [&](int part, int of) {
    const Index first = range_begin(n, part, of), last = range_begin(n, part + 1, of);
    if (first < last) f(first, last);
  });
}

/// Calls f(i) for each i in [0, n), with the ranges of parallel_ranges.
template <class F>
void parallel_for(Index n, double work, Threads threads, const F& f) {
  parallel_ranges(n, work, threads, [&](Index first, Index last) {
    for (Index i = first; i < last; ++i) f(i);
  });
}

}  // namespace detail

/// The number of threads that a large piece of work would use.
inline int thread_count(Threads threads = {}) {
  return detail::most_threads(threads);
}

}  // namespace eigan
