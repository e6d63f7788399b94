// run_rounds: contenders take turns, so that whatever the machine does to one it does to all, and every figure that
// is compared with another comes from the same seconds.
//
// A round is one turn of each, in an order that rotates. A turn is some steps to warm up and then timed ones, for
// about the same time whoever it is; threads that still spin after a turn are given time to fall asleep. Every few
// rounds all processes are started afresh, because where memory happens to lie stays with a process.
#pragma once

#include <chrono>
#include <cstddef>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "contender.hpp"
#include "statistics.hpp"

namespace bench {

struct RoundOptions {
  int rounds = 20;  ///< in all
  int lives = 4;    ///< times that every process is started
  long steps = 0;   ///< timed steps of a turn; 0: as many as fit into turn_ms
  double turn_ms = 100;
  double pause_ms = 40;  ///< OpenBLAS's threads spin for some 30 ms
  bool by_mean = false;  ///< what a turn counts as: its mean step, which long waits are part of, or its median
};

/// One program at one number of threads, and what was measured of it.
struct Entry {
  std::string id;  ///< "openblas"
  int threads;
  std::vector<std::string> command;
  std::string label;  ///< for the table; empty: what the program calls itself

  std::string about;                  ///< its own line of JSON
  long steps = 0;                     ///< timed steps of a turn
  std::vector<double> step_ms;        ///< every timed step
  std::vector<double> round_ms = {};  ///< the median step of each round, or the mean one

  Environment environment = {};  ///< that the program is started with, beside this one's own
  std::string remark = {};       ///< for people: how it was set up
};

inline void run_rounds(std::vector<Entry>& entries, const RoundOptions& options) {
  const auto turn = [&](Entry& entry, Contender& contender) {
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(options.pause_ms));
    return contender.run(std::max(2L, entry.steps / 5), entry.steps);
  };
  int round = 0;
  for (int life = 0; life < options.lives; ++life) {
    std::vector<Contender> contenders;
    for (Entry& entry : entries) {
      contenders.emplace_back(entry.command, entry.threads, entry.environment);
      entry.about = contenders.back().about();
      if (entry.steps == 0) entry.steps = options.steps;
      if (entry.steps == 0) {
        const double step = quantile(contenders.back().run(3, 7), 0.5);
        entry.steps = std::max(3L, static_cast<long>(options.turn_ms / step));
      }
    }
    for (; round < options.rounds * (life + 1) / options.lives; ++round) {
      for (std::size_t i = 0; i < entries.size(); ++i) {
        const std::size_t next = (i + static_cast<std::size_t>(round)) % entries.size();
        Entry& entry = entries[next];
        const std::vector<double> times = turn(entry, contenders[next]);
        entry.step_ms.insert(entry.step_ms.end(), times.begin(), times.end());
        entry.round_ms.push_back(options.by_mean ? mean(times) : quantile(times, 0.5));
      }
    }
  }
}

/// Round by round, how many times longer a takes than b.
inline std::vector<double> ratios(const Entry& a, const Entry& b) {
  std::vector<double> result;
  for (std::size_t i = 0; i < a.round_ms.size(); ++i) result.push_back(a.round_ms[i] / b.round_ms[i]);
  return result;
}

}  // namespace bench
