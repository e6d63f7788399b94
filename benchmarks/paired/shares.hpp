// How equal the parts of parallel regions are. Include it before eigan: its objects live as long as a region and its
// parts. At the end of the program it prints, for the first part of all regions, the second and so on, the share of the
// time between the first region and the last in which somebody computed it, and how much was between regions.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>

namespace bench {

class Shares {
 public:
  static long long now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
  static Shares& all() {
    static Shares shares;
    return shares;
  }
  ~Shares() {
    const auto total = static_cast<double>(last_ - first_);
    if (regions_ == 0 || total <= 0) return;
    std::fprintf(stderr, "%ld regions, of %.1f us on average; outside of them %.1f %%\n", regions_,
                 static_cast<double>(in_regions_) * 1e-3 / static_cast<double>(regions_),
                 100 - 100 * static_cast<double>(in_regions_) / total);
    for (std::size_t i = 0; i < busy_.size(); ++i)
      if (busy_[i].time > 0)
        std::fprintf(stderr, "part %zu: computed for %.1f %%\n", i, 100 * static_cast<double>(busy_[i].time) / total);
  }

  /// One region, on the calling thread.
  struct Region {
    const long long begin = now();
    ~Region() {
      Shares& s = all();
      if (s.first_ == 0) s.first_ = begin;
      s.last_ = now();
      s.in_regions_ += s.last_ - begin;
      ++s.regions_;
    }
  };
  /// One part, on whoever computes it.
  struct Part {
    const int number;
    const long long begin = now();
    ~Part() { all().busy_[static_cast<std::size_t>(number) % all().busy_.size()].time += now() - begin; }
  };

 private:
  struct alignas(64) Busy {
    std::atomic<long long> time{0};
  };
  std::array<Busy, 64> busy_;
  long long first_ = 0, last_ = 0, in_regions_ = 0;
  long regions_ = 0;
};

}  // namespace bench

#define EIGAN_TIME_REGION const bench::Shares::Region timed_region;
#define EIGAN_TIME_PART const bench::Shares::Part timed_part{part};
