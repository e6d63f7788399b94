// What a paired run found, as a table for people and as one JSON object for programs.
#pragma once

#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "../machine.hpp"
#include "../workloads.hpp"
#include "rounds.hpp"

namespace bench {

inline const Entry* find_entry(const std::vector<Entry>& entries, const std::string& id, int threads) {
  for (const Entry& e : entries)
    if (e.id == id && e.threads == threads) return &e;
  return nullptr;
}

inline std::string today() {
  const std::time_t now = std::time(nullptr);
  char text[32] = "";
  std::strftime(text, sizeof text, "%Y-%m-%d", std::localtime(&now));
  return text;
}

inline nlohmann::json to_json(const Summary& s) {
  return {{"median", s.median}, {"min", s.min}, {"p10", s.p10}, {"p90", s.p90}};
}

/// `reference`: the id of the contender that all others are compared with, at their own number of threads.
inline nlohmann::json report(const Workload& w, const std::vector<Entry>& entries, const RoundOptions& options,
                             const std::string& reference) {
  using nlohmann::json;
  json results = json::array();
  for (const Entry& e : entries) {
    const json about = json::parse(e.about, nullptr, false);
    const Summary ms = summarise(e.step_ms);
    const bool is_peak = e.id.starts_with("peak");
    const double flop = is_peak ? about.value("flop", 0.0) : step_flop(w);
    json result{{"contender", e.id},
                {"name", e.label.empty() ? about.value("name", e.id) : e.label},
                {"threads", e.threads},
                {"about", about},
                {"ms", to_json(ms)},
                {"ms_per_step", ms.median},
                {"mean_ms_per_step", mean(e.step_ms)},
                {"gflops", flop / ms.median * 1e-6},
                {"steps", e.step_ms.size()},
                {"round_ms", e.round_ms}};
    if (!e.remark.empty()) result["remark"] = e.remark;
    if (const Entry* peak = find_entry(entries, "peak", e.threads); peak && !is_peak) {
      // The share of the multiply-adds that the machine could have done in the same time, round by round.
      const double peak_flop = json::parse(peak->about).value("flop", 0.0);
      std::vector<double> shares = ratios(*peak, e);
      for (double& share : shares) share *= flop / peak_flop;
      result["of_peak"] = quantile(shares, 0.5);
    }
    if (const Entry* other = find_entry(entries, reference, e.threads); other && other != &e && !is_peak)
      result["ratio"] = to_json(summarise(ratios(e, *other)));
    if (const Entry* one = find_entry(entries, e.id, 1); one && one != &e && !is_peak)
      result["to_1_thread"] = to_json(summarise(ratios(e, *one)));
    results.push_back(std::move(result));
  }
  json all{{"workload", w.name},
           {"batch", w.batch},
           {"mflop_per_step", step_flop(w) * 1e-6},
           {"reference", reference},
           {"rounds", options.rounds},
           {"lives", options.lives},
           {"processor", processor_name()},
           {"processors", std::thread::hardware_concurrency()},
           {"compiler", compiler_name()},
           {"flags", EIGAN_BENCH_FLAGS},
           {"date", today()},
           {"results", std::move(results)}};
  for (const json& result : all["results"])
    if (result["contender"] == "eigan") {
      all["ms_per_step"] = result["ms_per_step"];
      all["threads"] = result["threads"];
      break;
    }
  return all;
}

inline void print_table(const nlohmann::json& all) {
  std::printf("%s: %.1f MFLOP a step, batch %d     %s, %d processors, %s %s, %s\n",
              all["workload"].get<std::string>().c_str(), all["mflop_per_step"].get<double>(), all["batch"].get<int>(),
              all["processor"].get<std::string>().c_str(), all["processors"].get<int>(),
              all["compiler"].get<std::string>().c_str(), all["flags"].get<std::string>().c_str(),
              all["date"].get<std::string>().c_str());
  std::printf("%-34s %7s %9s %9s   %-19s %8s %7s   %-6s %-15s\n", "", "threads", "ms/step", "least", "p10 to p90",
              "GFLOP/s", "of peak", "to", all["reference"].get<std::string>().c_str());
  for (const auto& r : all["results"]) {
    const auto& ms = r["ms"];
    const int threads = r["threads"].get<int>();
    std::printf("%-34s %7s %9.4f %9.4f   %-8.4f - %-8.4f %8.1f", r["name"].get<std::string>().c_str(),
                threads > 0 ? std::to_string(threads).c_str() : "default", ms["median"].get<double>(),
                ms["min"].get<double>(), ms["p10"].get<double>(), ms["p90"].get<double>(), r["gflops"].get<double>());
    if (r.contains("of_peak"))
      std::printf(" %6.1f%%", 100 * r["of_peak"].get<double>());
    else
      std::printf(" %7s", "");
    if (r.contains("ratio"))
      std::printf("   %-6.3f (%.3f - %.3f)", r["ratio"]["median"].get<double>(), r["ratio"]["p10"].get<double>(),
                  r["ratio"]["p90"].get<double>());
    if (r.contains("to_1_thread"))
      std::printf("   %.3f (%.3f - %.3f) of 1 thread's time", r["to_1_thread"]["median"].get<double>(),
                  r["to_1_thread"]["p10"].get<double>(), r["to_1_thread"]["p90"].get<double>());
    std::printf("\n");
  }
  for (const auto& r : all["results"])
    if (r.contains("remark")) std::printf("%s\n", r["remark"].get<std::string>().c_str());
}

}  // namespace bench
