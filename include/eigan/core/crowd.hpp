// Crowd: whether threads pay at the moment. Where other programs have the processors, a helper that is kept from
// running costs a region a time slice or more, many times what it saves. So each calling thread keeps account of what
// its regions save and lose; while they lose, work whose number of threads nobody has named stays on the calling
// thread, and every now and then a region is tried again.
#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

#if defined(__linux__)
#include <sys/resource.h>
#endif

namespace eigan::detail {

class Crowd {
 public:
  /// Nanoseconds.
  using Time = long long;
  static Time now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }

  /// Whether regions lose.
  bool is_felt(Time at) const { return at < alone_until_; }

  /// A region begins.
  Time begin() {
    const Time at = now();
    if (at - looked_ > recent) look(at);
    return at;
  }

  /// The same region has ended, after its caller computed `own` of `parts` parts until own_end and then waited for the
  /// others.
  void record(Time begin, Time own_end, Time end, int own, int parts) {
    Time busy = own_end - begin;
    if (end - begin >= suspicious) busy = std::max(busy - slice * look(end), Time{0});
    saved_ = std::min(saved_ + busy * parts / own - (end - begin), enough);
    if (saved_ >= enough) rest_ = shortest_rest;
    if (saved_ >= 0) return;
    saved_ = 0;
    alone_until_ = end + rest_;
    rest_ = std::min(2 * rest_, longest_rest);
  }

 private:
  /// How often since the last look this thread had to leave its processor to another, where the system tells: time that
  /// is no work. A look costs as much as a region, so short ones do without.
  long look(Time at) {
    long switches = 0;
#if defined(RUSAGE_THREAD)
    rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage) == 0) switches = usage.ru_nivcsw;
#endif
    looked_ = at;
    return switches - std::exchange(switches_, switches);
  }

  static constexpr Time suspicious = 1'000'000, recent = 5'000'000, slice = 4'000'000;
  static constexpr Time enough = 5'000'000;  // a lost time slice or two is no crowd
  static constexpr Time shortest_rest = 20'000'000, longest_rest = 1'000'000'000;
  Time saved_ = enough;
  Time rest_ = shortest_rest;
  Time alone_until_ = 0;
  Time looked_ = 0;
  long switches_ = 0;
};

/// The calling thread's.
inline thread_local constinit Crowd crowd;

}  // namespace eigan::detail
