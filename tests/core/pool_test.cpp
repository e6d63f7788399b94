#include <doctest/doctest.h>
#include <atomic>
#include <chrono>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <eigan/core/pool.hpp>

#include "allocations.hpp"
#include "core/regions.hpp"

using namespace eigan::detail;
using namespace regions;

TEST_CASE("Pool: each part once, of as many as were asked for") {
  for (int parts = 1; parts <= 20; ++parts) {
    std::vector<std::atomic<int>> seen(static_cast<std::size_t>(parts));
    std::atomic<bool> as_asked{true};
    region(parts, [&](int part, int of) {
      if (of != parts) as_asked = false;
      ++seen[static_cast<std::size_t>(part)];
    });
    CAPTURE(parts);
    CHECK(as_asked);
    for (const auto& times : seen) CHECK(times == 1);
  }
}

TEST_CASE("Pool: as many threads as parts are at work at once, the calling one with part 0") {
  for (const int threads : {1, 2, 3, 4, 8}) {
    CAPTURE(threads);
    std::vector<std::thread::id> ids(static_cast<std::size_t>(threads));
    on_each_thread(threads, [&](int part, int) { ids[static_cast<std::size_t>(part)] = std::this_thread::get_id(); });
    CHECK(std::set(ids.begin(), ids.end()).size() == ids.size());
    CHECK(ids[0] == std::this_thread::get_id());
  }
}

TEST_CASE("Pool: thousands of small regions of changing size, and rests so long that helpers fall asleep") {
  long sum = 0, expected = 0;
  for (int i = 0; i < 20000; ++i) {
    const int parts = 1 + i % 5;
    std::atomic<int> in_region{0};
    region(parts, [&](int part, int) { in_region += part + i; });
    sum += in_region;
    for (int part = 0; part < parts; ++part) expected += part + i;
    if (i % 2000 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK(sum == expected);
}

TEST_CASE("Pool: who calls while another caller has the helpers computes alone") {
  std::atomic<int> held{0};
  std::atomic<bool> let_go{false};
  std::thread first([&] {
    region(3, [&](int part, int) {
      if (part == 0) return;
      ++held;
      while (!let_go) std::this_thread::yield();
    });
  });
  while (held < 2) std::this_thread::yield();
  int calls = 0, parts = 0;
  region(3, [&](int, int of) { ++calls, parts = of; });
  CHECK(calls == 1);
  CHECK(parts == 1);
  let_go = true;
  first.join();
}

TEST_CASE("Pool: what a helper has not begun is computed by others") {
  std::atomic<int> others{0};
  std::atomic<bool> stuck{false};
  region(8, [&](int part, int of) {
    if (part == 1) {  // who has this part comes to no other
      stuck = true;
      while (others < of - 1) std::this_thread::yield();
    } else {
      ++others;
    }
  });
  CHECK(others == 7);
  CHECK(stuck);
}

#if defined(EIGAN_POSIX_THREADS)
TEST_CASE("Pool: where the system grants no thread the caller computes all parts" *
          doctest::skip(!support::fails_allocations)) {
  CHECK(in_child([] {
          Pool::get();
          int calls = 0;
          {
            const support::FailingAllocation first(0);  // of the thread that would help
            region(3, [&](int, int) { ++calls; });
          }
          region(3, [&](int, int) { ++calls; });
          return 10 * calls + Pool::get()->helpers();
        }) == 60);
}
#endif

TEST_CASE("Pool: more parts than helpers may be, by fewer threads") {
  std::atomic<int> calls{0}, parts{0};
  region(100000, [&](int, int of) { ++calls, parts = of; });
  CHECK(calls == Pool::most_threads);
  CHECK(parts == Pool::most_threads);
  CHECK(Pool::get()->helpers() <= Pool::most_threads - 1);
}

TEST_CASE("Pool: many callers at once, each with its own parts") {
  std::vector<std::thread> callers;
  std::vector<long> sums(6);
  for (std::size_t c = 0; c < sums.size(); ++c)
    callers.emplace_back([&sums, c] {
      for (int i = 0; i < 2000; ++i) {
        std::atomic<long> sum{0};
        std::atomic<int> parts{0};
        region(3, [&](int part, int of) {
          sum += part + 1;
          parts = of;
        });
        sums[c] += sum == parts * (parts + 1) / 2 ? 1 : 0;
      }
    });
  for (auto& caller : callers) caller.join();
  for (const long right : sums) CHECK(right == 2000);
}

TEST_CASE("Pool: a region inside a part is the calling thread's") {
  std::atomic<bool> alone{true};
  std::atomic<int> inner{0};
  CHECK_FALSE(inside_region);
  region(4, [&](int, int) {
    if (!inside_region) alone = false;
    const auto here = std::this_thread::get_id();
    region(4, [&](int, int of) {
      if (of != 1 || std::this_thread::get_id() != here) alone = false;
      ++inner;
    });
    if (!inside_region) alone = false;
  });
  CHECK(alone);
  CHECK(inner == 4);
  CHECK_FALSE(inside_region);
}

TEST_CASE("Pool: an exception reaches the caller when all parts have ended, from any thread") {
  for (int thrower = 0; thrower < 4; ++thrower) {
    CAPTURE(thrower);
    std::atomic<int> others{0};
    const auto one_throws = [&] {
      on_each_thread(4, [&](int part, int) {
        if (part == thrower) throw std::runtime_error("a part");
        ++others;
      });
    };
    CHECK_THROWS_WITH_AS(one_throws(), "a part", std::runtime_error);
    CHECK(others == 3);
    CHECK_FALSE(inside_region);
  }
  const auto all_throw = [] { region(4, [](int part, int) { throw part; }); };
  CHECK_THROWS_AS(all_throw(), int);
  int calls = 0;
  region(1, [&](int, int) { ++calls; });  // and nothing is left of it
  CHECK(calls == 1);
}
