// take_fastest_openblas: which of its kernels OpenBLAS is compared by.
//
// OpenBLAS has kernels for many processors. It picks some by the processor's number, which it need not know, and takes
// others where OPENBLAS_CORETYPE stands in the environment. A comparison wants the fastest that compute right: those
// that the processor can run take turns at the work in question.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "rounds.hpp"

namespace bench {

/// Gives the entry, a program like contenders/openblas.cpp, the kernels to run by, and a remark on how they were found.
inline void take_fastest_openblas(Entry& entry) {
  const char* const variable = "OPENBLAS_CORETYPE";
  std::vector<Entry> able;
  std::set<std::string> known;
  std::string remark;
  // Its own choice first; SkylakeX and what follows want AVX-512.
  for (const char* kernels : {"", "Sandybridge", "Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids"}) {
    Entry trial = entry;
    trial.environment = {{variable, kernels}};
    try {
      trial.about = Contender(trial.command, trial.threads, trial.environment).about();
    } catch (const std::runtime_error&) {
      continue;  // the processor cannot run them
    }
    const nlohmann::json about = nlohmann::json::parse(trial.about);
    const std::string core = about.at("core");
    if (!known.insert(core).second) continue;
    if (about.at("wrong") == 0)
      able.push_back(trial);
    else
      remark += core + " computes wrong, ";
  }
  if (able.empty()) throw std::runtime_error("OpenBLAS: no kernels compute right");
  RoundOptions options;
  options.rounds = 9;
  options.lives = 3;  // two threads may lie badly for the whole life of a process
  options.turn_ms = 20;
  run_rounds(able, options);
  const Entry* best = nullptr;
  for (const Entry& trial : able) {
    const auto time = [](const Entry& e) { return quantile(e.round_ms, 0); };
    if (best == nullptr || time(trial) < time(*best)) best = &trial;
    char text[64];
    std::snprintf(text, sizeof text, " %.3f ms, ", time(trial));
    remark += nlohmann::json::parse(trial.about).at("core").get<std::string>() + text;
  }
  const std::string core = nlohmann::json::parse(best->about).at("core");
  entry.environment = {{variable, core}};
  entry.remark = "OpenBLAS's kernels, " + std::to_string(entry.threads) +
                 (entry.threads == 1 ? " thread" : " threads") + ", least of nine turns: " + remark + "so those for " +
                 core;
  if (const char* pinned = std::getenv(variable))
    entry.remark += std::string(" (not ") + variable + "=" + pinned + " of the environment)";
}

}  // namespace bench
