// helpers_lost: is this a process that fork() made of one with threads?
//
// Such a child has the thread that called fork() and no other. g++'s OpenMP does not notice and waits for the parent's
// helpers for ever, so the child must not open a parallel region. A child of a parent without threads, such as a
// daemon, may. LLVM's OpenMP begins anew in every child by itself.
#pragma once

#if defined(_OPENMP) && defined(__GNUC__) && !defined(__clang__) && __has_include(<pthread.h>)
#include <pthread.h>
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

namespace eigan::detail {

inline bool lost = false;                        // written by a child while it has one thread
inline thread_local bool threads_before = true;  // at the last fork() of this thread; true where nobody tells

inline void before_fork() {
#if __has_include(<sys/single_threaded.h>)
  threads_before = __libc_single_threaded == 0;
#endif
}
inline void after_fork_in_child() {
  if (threads_before) lost = true;
}
// Before main: the program may have helpers that come from parallel regions of its own.
inline const bool watches_fork = pthread_atfork(before_fork, nullptr, after_fork_in_child) == 0;

inline bool helpers_lost() {
  return lost;
}

}  // namespace eigan::detail
#else
namespace eigan::detail {
inline bool helpers_lost() {
  return false;
}
}  // namespace eigan::detail
#endif
