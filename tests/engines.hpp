// Tests on every engine that a program has, and on helpers that have all been at work.
#pragma once

#include <doctest/doctest.h>
#include <atomic>
#include <string>
#include <thread>

#include <eigan/core/parallel.hpp>
#include <eigan/kernels/thread_memory.hpp>

namespace support {

/// While it lives, an engine is in use.
class OnEngine {
 public:
  explicit OnEngine(eigan::Engine engine) { eigan::set_engine(engine); }
  OnEngine(const OnEngine&) = delete;
  OnEngine& operator=(const OnEngine&) = delete;
  ~OnEngine() { eigan::set_engine(before_); }

 private:
  eigan::Engine before_ = eigan::active_engine();
};

/// f() with each engine in turn.
template <class F>
void on_each_engine(const F& f) {
  for (const eigan::Engine engine : {eigan::Engine::openmp, eigan::Engine::pool}) {
    if (!supports(engine)) continue;
    const OnEngine on(engine);
    INFO("engine ", std::string(to_string(engine)));
    f();
  }
}

/// f(part) on so many threads, each of which has one part: none ends before all have begun.
template <class F>
void on_each_thread(int threads, const F& f) {
  std::atomic<int> begun{0};
  eigan::detail::parallel(threads, [&](int part, int of) {
    for (++begun; begun < of;) std::this_thread::yield();
    f(part);
  });
}

/// Lets so many threads allocate what a thread keeps, so that it does not show which of them computes first.
inline void warm_threads(int threads) {
  on_each_thread(threads, [](int) { eigan::detail::thread_memory(std::size_t{1} << 22); });
}

}  // namespace support
