// serve: what every contender does: runs steps when told to, and says how long each took.
//
// A contender is a program of its own, because thread pools that share a process spin in each other's way. It prints
// one line of JSON about itself, then answers each line "warm n" with a line of n times in nanoseconds, having run
// warm + n steps, until its input ends. Any language can take part.
#pragma once

#include <chrono>
#include <iostream>
#include <string>
#include <vector>

namespace bench {

/// `about`: a JSON object without newlines.
template <class Step>
int serve(const std::string& about, Step&& step) {
  std::cout << about << std::endl;
  std::vector<long long> times;
  for (long warm = 0, count = 0; std::cin >> warm >> count;) {
    times.clear();
    times.reserve(static_cast<std::size_t>(count));
    for (long i = 0; i < warm; ++i) step();
    auto last = std::chrono::steady_clock::now();
    for (long i = 0; i < count; ++i) {
      step();
      const auto now = std::chrono::steady_clock::now();
      times.push_back(std::chrono::duration_cast<std::chrono::nanoseconds>(now - last).count());
      last = now;
    }
    for (const long long t : times) std::cout << t << ' ';
    std::cout << std::endl;
  }
  return 0;
}

}  // namespace bench
