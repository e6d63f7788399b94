// thread_memory: where a kernel puts the copies it works on. They are too large for a small stack (64 KiB in
// WebAssembly, 128 KiB for musl's threads) and made too often for an allocation each time, so a thread keeps one piece
// until it ends.
#pragma once

#include <cstddef>
#include <new>

namespace eigan::detail {

/// One thread's piece. The pointer needs no destructor, so reading it is one load; Free, which frees the piece, is made
/// with the first one. A thread that computes on while it ends gets a new piece, which nobody frees.
struct ThreadMemory {
  static constexpr std::align_val_t alignment{64};
  static constinit inline thread_local void* data = nullptr;
  static constinit inline thread_local std::size_t size = 0;

  struct Free {
    Free() = default;
    Free(const Free&) = delete;
    Free& operator=(const Free&) = delete;
    ~Free() {
      ::operator delete(data, alignment);
      data = nullptr;
      size = 0;
    }
  };

  [[gnu::noinline, gnu::cold]] static void grow(std::size_t bytes) {
#if !defined(__wasi__) || defined(_REENTRANT)  // one thread: its end is the program's
    static thread_local Free at_the_end;
    static_cast<void>(at_the_end);
#endif
    ::operator delete(data, alignment);
    data = nullptr;
    size = 0;
    data = ::operator new(bytes, alignment);
    size = bytes;
  }
};

/// At least `bytes` on a cache line, the calling thread's own. They hold anything, and last until a kernel on this
/// thread asks for more than the most so far. Throws std::bad_alloc.
inline void* thread_memory(std::size_t bytes) {
  if (ThreadMemory::size < bytes) ThreadMemory::grow(bytes);
  return ThreadMemory::data;
}

}  // namespace eigan::detail
