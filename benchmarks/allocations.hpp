// allocations(): how often this program has asked the C library for memory. Everything arrives there: operator new,
// aligned or not, and Eigen's own allocator. Include it in one file of a program.
#pragma once

#include <atomic>
#include <cstddef>

namespace bench {
inline std::atomic<long> allocation_count{0};
inline long allocations() {
  return allocation_count.load(std::memory_order_relaxed);
}

/// f, with what it allocates added to `count`.
template <class F>
auto counting_allocations(long& count, const F& f) {
  return [&count, &f] {
    const long before = allocations();
    f();
    count += allocations() - before;
  };
}
}  // namespace bench

#if defined(__GLIBC__)
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void* malloc(std::size_t size) {
  ++bench::allocation_count;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++bench::allocation_count;
  return __libc_calloc(count, size);
}
void* realloc(void* p, std::size_t size) {
  ++bench::allocation_count;
  return __libc_realloc(p, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++bench::allocation_count;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** p, std::size_t alignment, std::size_t size) {
  ++bench::allocation_count;
  *p = __libc_memalign(alignment, size);
  return *p ? 0 : 12;
}
}
#endif
