// The pool beside what a process does: signals, fork, its end.
#include <doctest/doctest.h>
#include <atomic>
#include <chrono>
#include <csignal>
#include <set>
#include <thread>
#include <vector>

#include <eigan/core/pool.hpp>

#include "core/regions.hpp"

#if defined(EIGAN_POSIX_THREADS)
using namespace eigan::detail;
using namespace regions;

namespace {

/// Computes while static objects are destroyed.
struct LateUser {
  ~LateUser() {
    std::atomic<int> calls{0}, parts{0};
    region(3, [&](int, int of) { ++calls, parts = of; });
    if (calls != parts) _exit(99);
  }
};

}  // namespace

TEST_CASE("Pool: helpers block all signals but those of their own faults") {
  std::vector<int> right(4);
  on_each_thread(4, [&](int part, int) {
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    right[static_cast<std::size_t>(part)] = sigismember(&blocked, SIGINT) == 1 && sigismember(&blocked, SIGTERM) == 1 &&
                                            sigismember(&blocked, SIGUSR1) == 1 && sigismember(&blocked, SIGSEGV) == 0;
  });
  CHECK(right == std::vector<int>{0, 1, 1, 1});  // the caller's are its own
}

TEST_CASE("Pool: a child of fork() makes helpers of its own, and so does its child") {
  region(3, [](int, int) {});
  const auto threads = [] {
    std::set<std::thread::id> ids;
    std::vector<std::thread::id> mine(3);
    on_each_thread(3, [&](int part, int) { mine[static_cast<std::size_t>(part)] = std::this_thread::get_id(); });
    return static_cast<int>(std::set(mine.begin(), mine.end()).size());
  };
  CHECK(threads() == 3);
  CHECK(in_child(threads) == 3);
  CHECK(in_child([&] { return 10 * in_child(threads) + threads(); }) == 33);
  CHECK(threads() == 3);
}

TEST_CASE("Pool: a fork beside another thread's region leaves a child that computes") {
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop) region(3, [](int, int) {});
  });
  for (int i = 0; i < 20; ++i)
    CHECK(in_child([] {
            int calls = 0;
            on_each_thread(2, [&](int part, int) { calls += part == 0 ? 1 : 0; });
            return calls;
          }) == 1);
  stop = true;
  busy.join();
}

TEST_CASE("Pool: a program ends with helpers that look for work, that sleep, and in the middle of a region") {
  const auto after = [](int milliseconds) {
    return in_child([=] {
      static LateUser late;
      region(4, [](int, int) {});
      std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
      return 7;
    });
  };
  CHECK(after(0) == 7);
  CHECK(after(20) == 7);
  CHECK(in_child([] {  // what comes after the end is its caller's
          region(3, [](int, int) {});
          Pool::get()->end();
          int parts = 0;
          region(3, [&](int, int of) { parts = of; });
          return parts;
        }) == 1);
  CHECK(in_child([] {
          region(2, [](int part, int) {
            if (part == 0) std::exit(8);
          });
          return 9;
        }) == 8);
  CHECK(in_child([] {
          on_each_thread(2, [](int part, int) {
            if (part == 1) std::exit(8);
          });
          return 9;
        }) == 8);
  CHECK(in_child([] {  // while another thread computes on and on
          static std::atomic<bool> begun{false};
          std::thread([] {
            for (;;) region(2, [](int, int) { begun = true; });
          }).detach();
          while (!begun) std::this_thread::yield();
          return 10;
        }) == 10);
}
#endif
