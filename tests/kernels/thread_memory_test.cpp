#include <doctest/doctest.h>
#include <cstdint>
#include <cstring>
#include <new>
#include <thread>

#include <eigan/kernels/thread_memory.hpp>

#include "allocations.hpp"

using eigan::detail::thread_memory;

TEST_CASE("thread_memory: one piece a thread, on a cache line, asked for once and freed with the thread") {
  long asked = 0, kept = 0, grown = 0;
  bool same = false, aligned = false, larger = false;
  // Two threads: what the first of a program leaves behind (the C library's own) is not ours.
  for (int run = 0; run < 2; ++run) {
    kept = support::live_allocations();
    std::thread([&] {
      const long before = support::allocations();
      void* const piece = thread_memory(1000);
      std::memset(piece, 1, 1000);
      aligned = reinterpret_cast<std::uintptr_t>(piece) % 64 == 0;
      same = thread_memory(500) == piece && thread_memory(1000) == piece;
      asked = support::allocations() - before;
      std::memset(thread_memory(100000), 1, 100000);
      grown = support::allocations() - before;
      larger = eigan::detail::ThreadMemory::size == 100000;
    }).join();
    kept = support::live_allocations() - kept;
  }
  CHECK(aligned);
  CHECK(same);
  CHECK(larger);
  CHECK(kept == 0);
  if (support::counts_allocations) {
    CHECK(asked >= 1);
    CHECK(grown == asked + 1);
  }
}

TEST_CASE("thread_memory: threads do not share it") {
  void* const mine = thread_memory(100);
  void* other = nullptr;
  std::thread([&] { other = thread_memory(100); }).join();
  CHECK(other != mine);
  CHECK(thread_memory(100) == mine);
}

TEST_CASE("thread_memory: after an allocation that failed it can be asked again" *
          doctest::skip(!support::fails_allocations)) {
  std::thread([&] {
    thread_memory(100);
    {
      const support::FailingAllocation none(0);
      CHECK_THROWS_AS(thread_memory(1000), std::bad_alloc);
    }
    std::memset(thread_memory(1000), 1, 1000);
    CHECK(eigan::detail::ThreadMemory::size == 1000);
  }).join();
}
