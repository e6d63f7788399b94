#include <doctest/doctest.h>
#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include <eigan/core/parallel.hpp>

#include "engines.hpp"

using namespace eigan;

constexpr double much = 1e9;

TEST_CASE("parallel_for: every index exactly once, for every number of threads") {
  support::on_each_engine([] {
    for (int threads = 0; threads <= 8; ++threads)
      for (const Index n : {0, 1, 2, 3, 7, 8, 9, 64, 1001}) {
        std::vector<std::atomic<int>> visits(static_cast<std::size_t>(n) + 1);
        detail::parallel_for(n, much, Threads{threads}, [&](Index i) { ++visits[static_cast<std::size_t>(i)]; });
        bool once = visits.back() == 0;  // n itself is no index
        for (Index i = 0; i < n; ++i) once = once && visits[static_cast<std::size_t>(i)] == 1;
        INFO(n, " items on ", threads, " threads");
        CHECK(once);
      }
  });
}

TEST_CASE("parallel: hands out each part once") {
  support::on_each_engine([] {
    for (int parts = 1; parts <= 8; ++parts) {
      std::vector<std::atomic<int>> seen(8);
      std::atomic<int> of_all{0}, calls{0};
      detail::parallel(parts, [&](int part, int of) {
        ++seen[static_cast<std::size_t>(part)];
        of_all = of;
        ++calls;
      });
      // Fewer threads may be granted than were asked for, but who computes must be told.
      CHECK(calls == of_all);
      CHECK(of_all <= parts);
      for (int part = 0; part < 8; ++part) CHECK(seen[static_cast<std::size_t>(part)] == (part < of_all ? 1 : 0));
    }
  });
}

TEST_CASE("parallel_for: an exception reaches the caller when all parts have ended") {
  support::on_each_engine([] {
    for (const int threads : {1, 2, 3, 8}) {
      CAPTURE(threads);
      std::atomic<int> others{0};
      const auto work = [&](Index i) {
        if (i == 0) throw std::runtime_error("zero");
        ++others;
      };
      CHECK_THROWS_WITH_AS(detail::parallel_for(threads, much, Threads{threads}, work), "zero", std::runtime_error);
      CHECK(others == thread_count(Threads{threads}) - 1);
      CHECK_THROWS_AS(detail::parallel_for(8, much, Threads{threads}, [](Index) { throw 1; }), int);
    }
  });
}

TEST_CASE("parallel_for: small work stays on the calling thread") {
  CHECK(detail::usable_threads(Threads{8}, detail::named_threshold / 2) == 1);
  CHECK(detail::usable_threads(Threads{}, detail::parallel_threshold / 2) == 1);
  CHECK(detail::usable_threads(Threads{1}, much) == 1);
  CHECK(thread_count(Threads{1}) == 1);
  CHECK(thread_count() >= 1);
}

TEST_CASE("parallel_for: a single item stays on the calling thread, and no region is opened") {
  support::on_each_engine([] {
    std::thread::id where;
    const bool outside = detail::on_its_own();
    detail::parallel_for(1, 1e12, {4}, [&](Index i) {
      CHECK(i == 0);
      CHECK(detail::on_its_own() == outside);
      where = std::this_thread::get_id();
    });
    CHECK(where == std::this_thread::get_id());
  });
}

TEST_CASE("parallel_ranges: no other range is longer than the calling thread's") {
  support::on_each_engine([] {
    for (const int threads : {2, 3, 4, 8})
      for (const Index n : {2, 3, 5, 7, 10, 100}) {
        std::atomic<Index> first{0}, longest{0};
        detail::parallel_ranges(n, much, {threads}, [&](Index from, Index to) {
          if (from == 0) first = to;
          for (Index most = longest; most < to - from && !longest.compare_exchange_weak(most, to - from);) {
          }
        });
        INFO(n, " items on ", threads, " threads");
        CHECK(first == longest);
      }
  });
}

TEST_CASE("parallel_for: by default a thread is worth a million operations, from four million on") {
  CHECK(detail::worthwhile_threads(2.0 * 64 * (64 * 64 + 65 * 65), 64) == 1);  // batch 64 of 64-64-64
  CHECK(detail::worthwhile_threads(3.9e6, 64) == 1);
  CHECK(detail::worthwhile_threads(4e6, 64) == 4);
  CHECK(detail::worthwhile_threads(4e6, 2) == 2);
  CHECK(detail::worthwhile_threads(15.9e6, 64) == 8);
  CHECK(detail::worthwhile_threads(15.9e6, 15) == 15);
  CHECK(detail::worthwhile_threads(much, 64) == 64);
  CHECK(detail::worthwhile_threads(1e300, 1 << 20) == 1 << 20);
}

TEST_CASE("parallel_for: large work uses as many threads as were asked for") {
  support::on_each_engine([] {
    CHECK(thread_count(Threads{3}) == 3);
    CHECK(detail::usable_threads(Threads{3}, detail::named_threshold) == 3);
    CHECK(thread_count() == detail::default_threads());
    CHECK(thread_count() <= detail::usable_processors());
#if defined(_OPENMP)
    CHECK(thread_count() == std::min(omp_get_max_threads(), detail::usable_processors()));
#endif
    std::atomic<int> parts{0};
    support::on_each_thread(2, [&](int) { ++parts; });
    CHECK(parts == 2);
  });
}

TEST_CASE("parallel_for: inside another region it is a loop on the calling thread") {
  support::on_each_engine([] {
    std::vector<std::atomic<int>> visits(100);
    std::atomic<bool> alone{true};
    detail::parallel_for(10, much, Threads{2}, [&](Index outer) {
      if (detail::usable_threads(Threads{4}, much) != 1) alone = false;
      const auto caller = std::this_thread::get_id();
      detail::parallel_for(10, much, Threads{4}, [&, outer](Index i) {
        ++visits[static_cast<std::size_t>(10 * outer + i)];
        if (std::this_thread::get_id() != caller) alone = false;
      });
    });
    for (const auto& count : visits) CHECK(count == 1);
    CHECK(alone);
  });
}

#if defined(_OPENMP)
TEST_CASE("parallel_for: inside an OpenMP region of the caller's it is a loop on the calling thread") {
  support::on_each_engine([] {
    std::vector<std::atomic<int>> visits(100);
    std::atomic<bool> alone{true};
#pragma omp parallel for num_threads(2)
    for (int outer = 0; outer < 10; ++outer) {
      if (detail::usable_threads(Threads{4}, much) != 1) alone = false;
      const int caller = omp_get_thread_num();
      detail::parallel_for(10, much, Threads{4}, [&, outer](Index i) {
        ++visits[static_cast<std::size_t>(10 * outer + i)];
        if (omp_get_thread_num() != caller) alone = false;
      });
    }
    for (const auto& count : visits) CHECK(count == 1);
    CHECK(alone);
  });
}
#endif

#if defined(__linux__)
TEST_CASE("parallel_for: a thread that may use one processor opens no region by default") {
  support::on_each_engine([] {
    int threads = 0, named = 0, processors = 0;
    std::thread([&] {
      cpu_set_t mine, one;
      sched_getaffinity(0, sizeof mine, &mine);
      CPU_ZERO(&one);
      for (std::size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++i)
        if (CPU_ISSET(i, &mine)) CPU_SET(i, &one);
      sched_setaffinity(0, sizeof one, &one);
      threads = thread_count();
      named = thread_count({2});
      processors = detail::usable_processors();
    }).join();
    CHECK(threads <= processors);
    // LLVM's OpenMP lets a thread that calls it run everywhere again, and so may one that binds its threads.
#if !defined(_OPENMP) || !defined(__clang__)
#if defined(_OPENMP)
    if (omp_get_proc_bind() == omp_proc_bind_false)
#endif
      CHECK(processors == 1);
#endif
    CHECK(named == 2);
  });
}
#endif

TEST_CASE(
    "part_begin: parts are equal to within one, also where the number times the parts is more than 32 bits hold") {
  for (const Index n : {Index{0}, Index{1}, Index{7}, Index{2147483647}})
    for (const Index of : {1, 3, 128}) {
      CHECK(detail::part_begin(n, 0, of) == 0);
      CHECK(detail::part_begin(n, of, of) == n);
      for (Index part = 0; part < of; ++part) {
        const Index size = detail::part_begin(n, part + 1, of) - detail::part_begin(n, part, of);
        REQUIRE((size == n / of || size == n / of + 1));
      }
    }
}
