// allocations(): how often this program has asked the C library for memory. Everything arrives there: operator new,
// aligned or not, Eigen's allocator, the OpenMP run time. Include it in one file of a program.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>

namespace support {

inline std::atomic<long> allocation_count{0};
inline long allocations() {
  return allocation_count.load();
}

// It is counted where the C library is glibc and no sanitizer, which needs these functions for itself, is at work.
#if !defined(__GLIBC__) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool counts_allocations = false;
#elif !defined(__has_feature)
#define EIGAN_COUNTS_ALLOCATIONS
#elif __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool counts_allocations = false;
#else
#define EIGAN_COUNTS_ALLOCATIONS
#endif
#if defined(EIGAN_COUNTS_ALLOCATIONS)
inline constexpr bool counts_allocations = true;
#endif

}  // namespace support

#if defined(EIGAN_COUNTS_ALLOCATIONS)
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) {
  ++support::allocation_count;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++support::allocation_count;
  return __libc_calloc(count, size);
}
void* realloc(void* p, std::size_t size) {
  ++support::allocation_count;
  return __libc_realloc(p, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  ++support::allocation_count;
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return memalign(alignment, size);
}
int posix_memalign(void** result, std::size_t alignment, std::size_t size) {
  *result = memalign(alignment, size);
  return *result == nullptr ? ENOMEM : 0;
}
}
#endif
