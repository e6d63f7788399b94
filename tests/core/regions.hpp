// Regions of the pool, and children of this process, for its tests.
#pragma once

#include <doctest/doctest.h>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <eigan/core/pool.hpp>

#if defined(EIGAN_POSIX_THREADS)
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace regions {

using eigan::detail::Part;
using eigan::detail::Pool;

/// f(part, of) for each part.
template <class F>
void region(int parts, const F& f) {
  const Part call = [](const void* context, int part, int of) { (*static_cast<const F*>(context))(part, of); };
  Pool::get()->region(parts, call, &f);
}

/// The same on a thread for each part: none ends before all have begun.
template <class F>
void on_each_thread(int parts, const F& f) {
  std::atomic<int> begun{0};
  region(parts, [&](int part, int of) {
    for (++begun; begun < of;) std::this_thread::yield();
    f(part, of);
  });
}

#if defined(EIGAN_POSIX_THREADS)
/// How a child ends that runs f() and then exit(f's result): its status, or the signal that killed it, below 0.
template <class F>
int in_child(const F& f) {
  std::fflush(nullptr);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    alarm(60);
    std::exit(f());
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
#endif

}  // namespace regions
