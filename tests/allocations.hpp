// What a program asks of the heap: allocations(), live_allocations(), peak_heap(action), and FailingAllocation, which
// makes one of them fail. Everything arrives at the C library: operator new, aligned or not, Eigen's allocator, zlib,
// the OpenMP run time. A sanitizer needs the library's functions for itself: under that of addresses it is operator new
// that is watched, which is less; that of threads keeps operator new, too, and nothing is watched. Include it in one
// file of a program.
#pragma once

#include <malloc.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_THREAD__)
#define EIGAN_WATCHES_NOTHING
#elif !defined(__GLIBC__) || defined(__SANITIZE_ADDRESS__)
#define EIGAN_WATCHES_NEW
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define EIGAN_WATCHES_NOTHING
#elif __has_feature(address_sanitizer)
#define EIGAN_WATCHES_NEW
#endif
#endif

namespace support {

/// Whether every allocation counts, and not only those by operator new.
#if defined(EIGAN_WATCHES_NEW) || defined(EIGAN_WATCHES_NOTHING)
inline constexpr bool counts_allocations = false;
#else
inline constexpr bool counts_allocations = true;
#endif

/// Whether FailingAllocation makes any fail.
#if defined(EIGAN_WATCHES_NOTHING)
inline constexpr bool fails_allocations = false;
#else
inline constexpr bool fails_allocations = true;
#endif

namespace heap {

inline std::atomic<long> count{0}, live{0}, bytes{0}, peak{0};
inline std::atomic<long> left{-1};  // until one fails; below 0: none will

inline bool refuses() {
  ++count;
  return left >= 0 && left-- == 0;
}
inline void* taken(void* p) {
  if (p == nullptr) return p;
  ++live;
  const long now = bytes += static_cast<long>(::malloc_usable_size(p));
  long most = peak;
  while (now > most && !peak.compare_exchange_weak(most, now)) {
  }
  return p;
}
inline void given_back(void* p) {
  if (p == nullptr) return;
  --live;
  bytes -= static_cast<long>(::malloc_usable_size(p));
}

}  // namespace heap

/// How often memory has been asked for.
inline long allocations() {
  return heap::count;
}
/// How many pieces are in use.
inline long live_allocations() {
  return heap::live;
}

/// The most bytes that were in use at once during `action`, beyond those before.
template <class Action>
std::size_t peak_heap(const Action& action) {
  const long before = heap::bytes;
  heap::peak = before;
  action();
  return static_cast<std::size_t>(heap::peak - before);
}

/// While it lives, allocation number n from now on, counted from 0, fails; those after it succeed.
class FailingAllocation {
 public:
  explicit FailingAllocation(long n) { heap::left = n; }
  FailingAllocation(const FailingAllocation&) = delete;
  FailingAllocation& operator=(const FailingAllocation&) = delete;
  ~FailingAllocation() { heap::left = -1; }
  /// Whether it has come to that.
  bool happened() const { return heap::left < 0; }
};

}  // namespace support

#if defined(EIGAN_WATCHES_NEW)

// All of them: a sanitizer's own would find these ones' memory foreign. Not inlined, or the compiler takes new and
// free for a mismatched pair.
namespace support::heap {
[[gnu::noinline]] inline void* take(std::size_t size, std::size_t alignment = alignof(std::max_align_t)) {
  void* const p = refuses() ? nullptr : std::aligned_alloc(alignment, (size + alignment) / alignment * alignment);
  if (p == nullptr) throw std::bad_alloc();
  return taken(p);
}
[[gnu::noinline]] inline void* try_take(std::size_t size) noexcept {
  try {
    return take(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
[[gnu::noinline]] inline void give_back(void* p) noexcept {
  given_back(p);
  std::free(p);
}
}  // namespace support::heap

void* operator new(std::size_t n) {
  return support::heap::take(n);
}
void* operator new[](std::size_t n) {
  return support::heap::take(n);
}
void* operator new(std::size_t n, std::align_val_t a) {
  return support::heap::take(n, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t n, std::align_val_t a) {
  return support::heap::take(n, static_cast<std::size_t>(a));
}
void* operator new(std::size_t n, const std::nothrow_t&) noexcept {
  return support::heap::try_take(n);
}
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept {
  return support::heap::try_take(n);
}
void operator delete(void* p) noexcept {
  support::heap::give_back(p);
}
void operator delete[](void* p) noexcept {
  support::heap::give_back(p);
}
void operator delete(void* p, std::size_t) noexcept {
  support::heap::give_back(p);
}
void operator delete[](void* p, std::size_t) noexcept {
  support::heap::give_back(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
  support::heap::give_back(p);
}
void operator delete[](void* p, std::align_val_t) noexcept {
  support::heap::give_back(p);
}
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  support::heap::give_back(p);
}
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept {
  support::heap::give_back(p);
}
void operator delete(void* p, const std::nothrow_t&) noexcept {
  support::heap::give_back(p);
}
void operator delete[](void* p, const std::nothrow_t&) noexcept {
  support::heap::give_back(p);
}

#elif !defined(EIGAN_WATCHES_NOTHING)

// NOLINTBEGIN(bugprone-reserved-identifier,readability-inconsistent-declaration-parameter-name): the C library's names
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t size) {
  return support::heap::refuses() ? nullptr : support::heap::taken(__libc_malloc(size));
}
void* calloc(std::size_t count, std::size_t size) {
  return support::heap::refuses() ? nullptr : support::heap::taken(__libc_calloc(count, size));
}
void* realloc(void* p, std::size_t size) {
  if (support::heap::refuses()) return nullptr;
  support::heap::given_back(p);
  void* const moved = __libc_realloc(p, size);
  support::heap::taken(moved == nullptr && size > 0 ? p : moved);
  return moved;
}
void* memalign(std::size_t alignment, std::size_t size) {
  return support::heap::refuses() ? nullptr : support::heap::taken(__libc_memalign(alignment, size));
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return memalign(alignment, size);
}
int posix_memalign(void** result, std::size_t alignment, std::size_t size) {
  *result = memalign(alignment, size);
  return *result == nullptr ? ENOMEM : 0;
}
void free(void* p) {
  support::heap::given_back(p);
  __libc_free(p);
}
}
// NOLINTEND(bugprone-reserved-identifier,readability-inconsistent-declaration-parameter-name)

#endif
#undef EIGAN_WATCHES_NEW
#undef EIGAN_WATCHES_NOTHING
