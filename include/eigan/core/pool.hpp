// Pool: standard threads that help with a region's parts, where there is no OpenMP or a program prefers them
// (core/engine.hpp).
//
// The caller of a region and its helpers claim parts, each its own first, then whatever nobody has begun. Only a part
// that was claimed is waited for, so a helper that sleeps, or has no processor, costs no more than its help. Regions
// are numbered and a claim is a region's number: a helper that comes late finds all parts of its region claimed, and
// touches nothing of the next one.
#pragma once

#include <eigan/core/region.hpp>

#if !defined(EIGAN_NO_THREADS)

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <new>
#include <thread>
#include <utility>

#include <eigan/core/crowd.hpp>

namespace eigan::detail {

class Pool {
 public:
  /// The calling one included; a region has no more parts.
  static constexpr int most_threads = 256;

  /// The process's own, null where there is no memory. It is never freed: late helpers look at it.
  static Pool* get() {
    Pool* pool = current.load(std::memory_order_acquire);
    if (pool != nullptr) return pool;
    Pool* const made = new (std::nothrow) Pool;
    if (made == nullptr || current.compare_exchange_strong(pool, made)) return made;
    delete made;
    return pool;
  }

  /// f(context, part, of) for part = 0, ..., of - 1, with `of` the number of parts or, where another thread has the
  /// helpers, 1. Of what parts throw, one exception reaches the caller when all have ended.
  void region(int parts, Part f, const void* context) {
    const InsideRegion inside;
    if (taken_.exchange(true, std::memory_order_acquire)) return f(context, 0, 1);
    parts = std::min(parts, most_threads);
    start_helpers(parts - 1);
    const Crowd::Time begin = crowd.begin();
    f_ = f, context_ = context;
    done_.store(0, std::memory_order_relaxed);
    const std::uint64_t region = ++number_ << 16 | static_cast<std::uint64_t>(parts);
    claim_[0].region.store(region, std::memory_order_relaxed);
    region_.store(region);
    for (int i = 0; i < std::min(parts - 1, helpers_); ++i) wake(helper_[static_cast<std::size_t>(i)]);
    compute(0, parts);
    const int own = 1 + work(region, parts - 1);
    const Crowd::Time own_end = Crowd::now();
    wait_for(static_cast<unsigned>(parts));
    if (parts <= processors()) crowd.record(begin, own_end, Crowd::now(), own, parts);
    failed_.store(false, std::memory_order_relaxed);
    const std::exception_ptr error = std::exchange(error_, nullptr);
    taken_.store(false, std::memory_order_release);
    if (error) rethrow(error);
  }

  /// Threads that have been started.
  int helpers() const { return helpers_; }

  /// Joins the helpers. What is computed later is computed by its caller.
  void end() {
    if (region_.load() == over) return;
    while (taken_.exchange(true, std::memory_order_acquire)) std::this_thread::yield();  // for good
    region_.store(over);
    for (int i = 0; i < helpers_; ++i) {
      Helper& helper = helper_[static_cast<std::size_t>(i)];
      wake(helper);
      helper.thread.join();
    }
    helpers_ = 0;
  }

  static inline std::atomic<Pool*> current{nullptr};

 private:
  // What one thread writes often lies on a cache line of its own.
  struct alignas(64) Helper {
    std::atomic<unsigned> asleep{0};
    std::thread thread;
  };
  struct alignas(64) Claim {
    std::atomic<std::uint64_t> region{0};  // the last in which this part was claimed
  };

#if defined(EIGAN_POSIX_THREADS)
  /// A child that fork() made has the calling thread and no other. It gets a pool of its own when it needs one.
  static void forget() {
    Pool* const parents = current.exchange(nullptr);
    if (parents != nullptr) parents->before_ = std::exchange(left_behind, parents);
  }
  static inline Pool* left_behind = nullptr;  // so that no memory counts as lost
  static inline const bool watches_fork = pthread_atfork(nullptr, nullptr, forget) == 0;
#endif

  static constexpr std::uint64_t over = ~std::uint64_t{0};  // a region that wants every helper
  static int parts_of(std::uint64_t region) {
    return static_cast<int>(region & 0xFFFF);
  }

  void start_helpers(int wanted) {
    if (helpers_ >= std::min(wanted, most_helpers_)) return;
    const BlockedSignals blocked;
    const auto start = [&] {
      for (; helpers_ < std::min(wanted, most_helpers_); ++helpers_)
        helper_[static_cast<std::size_t>(helpers_)].thread = std::thread([this, i = helpers_] { help(i); });
    };
#if defined(__cpp_exceptions)
    try {
      start();
    } catch (...) {  // the system grants no more
      most_helpers_ = helpers_;
    }
#else
    start();
#endif
  }

  void help(int index) {
    const InsideRegion inside;
    Helper& me = helper_[static_cast<std::size_t>(index)];
    std::uint64_t seen = 0;
    while ((seen = next_region(me, index, seen)) != over) work(seen, index + 1);
  }

  /// Waits for a region after `seen` that wants this helper. Looks for it some 80 microseconds, then sleeps.
  std::uint64_t next_region(Helper& me, int index, std::uint64_t seen) {
    const int patience = parts_of(seen) <= processors() ? 4000 : 1;
    for (int looks = 0;; ++looks) {
      std::uint64_t region = region_.load(std::memory_order_acquire);
      if (region != seen && index + 1 < parts_of(region)) return region;
      if (looks < patience) {
        pause_processor();
        continue;
      }
      me.asleep.store(1);
      if (region_.load() == region) me.asleep.wait(1);
      me.asleep.store(0, std::memory_order_relaxed);
      looks = 0;
    }
  }

  static void wake(Helper& helper) {
    if (helper.asleep.load() == 0) return;
    helper.asleep.store(0);
    helper.asleep.notify_one();
  }

  /// Computes parts that nobody has begun, from part `first` down and round; returns how many.
  int work(std::uint64_t region, int first) {
    const int parts = parts_of(region);
    int computed = 0;
    for (int i = 0; i < parts; ++i) {
      const int part = first >= i ? first - i : first - i + parts;
      std::atomic<std::uint64_t>& claim = claim_[static_cast<std::size_t>(part)].region;
      std::uint64_t last = claim.load(std::memory_order_relaxed);
      if (last < region && claim.compare_exchange_strong(last, region, std::memory_order_relaxed))
        compute(part, parts), ++computed;
    }
    return computed;
  }

  void compute(int part, int parts) {
#if defined(__cpp_exceptions)
    try {
      f_(context_, part, parts);
    } catch (...) {
      if (!failed_.exchange(true, std::memory_order_relaxed)) error_ = std::current_exception();
    }
#else
    f_(context_, part, parts);
#endif
    if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<unsigned>(parts)) done_.notify_one();
  }

  void wait_for(unsigned parts) {
    for (int looks = 0;; ++looks) {
      const unsigned done = done_.load(std::memory_order_acquire);
      if (done == parts) return;
      if (looks < 2000)
        pause_processor();
      else
        done_.wait(done, std::memory_order_acquire);
    }
  }

  static void rethrow([[maybe_unused]] const std::exception_ptr& error) {
#if defined(__cpp_exceptions)
    std::rethrow_exception(error);
#endif
  }

  alignas(64) std::atomic<std::uint64_t> region_{0};  // number << 16 | parts
  Part f_ = nullptr;
  const void* context_ = nullptr;
  alignas(64) std::atomic<unsigned> done_{0};  // parts
  alignas(64) std::atomic<bool> taken_{false};
  std::atomic<bool> failed_{false};
  std::exception_ptr error_;
  std::uint64_t number_ = 0;
  int helpers_ = 0, most_helpers_ = most_threads - 1;
  std::array<Helper, most_threads - 1> helper_;
  std::array<Claim, most_threads> claim_;
  Pool* before_ = nullptr;
};

/// The end of the program, or of a library that is unloaded. A part that ends the program itself cannot wait for
/// itself.
struct EndOfPool {
  constexpr EndOfPool() = default;
  EndOfPool(const EndOfPool&) = delete;
  EndOfPool& operator=(const EndOfPool&) = delete;
  ~EndOfPool() {
    Pool* const pool = Pool::current.load(std::memory_order_acquire);
    if (pool != nullptr && !inside_region) pool->end();
  }
};
inline EndOfPool end_of_pool;

}  // namespace eigan::detail
#endif
