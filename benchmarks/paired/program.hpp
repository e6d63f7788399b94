// The command line that bench_gan_step and bench_train_step share: which contenders, how many threads, how long.
#pragma once

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "openblas_kernels.hpp"
#include "process.hpp"
#include "report.hpp"

namespace bench {

class PairedProgram {
 public:
  explicit PairedProgram(const std::string& description) : app_(description) {
    app_.add_option("--threads", threads_, "Threads, or several counts to compare: 1,2; 0: as many as eigan takes")
        ->delimiter(',');
    app_.add_option("--baseline", baselines_,
                    "Contenders besides eigan, of those that are built: openblas, eigen (both: the matrix products "
                    "alone); libtorch, libtorch-plain (as tutorials write it), pytorch, onednn (whole steps); eigan_o2 "
                    "(eigan compiled with plain -O2), eigan-pool and eigan-openmp (eigan on that engine); all; "
                    "none; only (not even "
                    "eigan, but each --contender)")
        ->delimiter(',');
    app_.add_option("--contender", extra_,
                    "Another program that speaks the protocol of paired/serve.hpp: NAME=PROGRAM");
    app_.add_option("--reference", reference_, "The contender that the others are compared with")
        ->capture_default_str();
    app_.add_option("--rounds", rounds_.rounds, "Turns of each contender")->capture_default_str();
    app_.add_option("--lives", rounds_.lives, "Times that each process is started afresh")->capture_default_str();
    app_.add_option("--steps", rounds_.steps, "Timed steps of a turn; 0: as many as fit into --turn")
        ->capture_default_str();
    app_.add_option("--turn", rounds_.turn_ms, "Milliseconds of a turn")->capture_default_str();
    app_.add_option("--busy", busy_,
                    "Processes of the benchmark's own that do nothing but count meanwhile; a turn's mean then counts, "
                    "not its median")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app_.add_flag("--json", json_, "One JSON object instead of a table");
  }

  CLI::App& app() { return app_; }

  /// After parsing: measures and prints.
  int run(const Workload& w) {
    if (rounds_.rounds < 1) throw std::invalid_argument("--rounds must be at least 1");
    rounds_.lives = std::clamp(rounds_.lives, 1, rounds_.rounds);
    std::vector<Entry> entries;
    for (const int threads : threads_) {
      if (threads < 0) throw std::invalid_argument("--threads must be at least 0");
      for (const std::string& id : contenders(w)) {
        entries.push_back(entry(id, w, threads));
        if (id == "openblas") take_fastest_openblas(entries.back());
      }
    }
    rounds_.by_mean = busy_ > 0;
    {
      const std::vector<Process> others = busy_processes(busy_);
      run_rounds(entries, rounds_);
    }
    const nlohmann::json all = report(w, entries, rounds_, reference_);
    if (json_)
      std::printf("%s\n", all.dump().c_str());
    else
      print_table(all);
    return 0;
  }

 private:
  static std::filesystem::path folder() {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "contenders";
  }

  /// "libtorch-plain" is the program libtorch with the variant plain.
  static std::string program_of(const std::string& id) { return id.substr(0, id.find('-')); }

  std::vector<std::string> contenders(const Workload& w) const {
    const auto is = [&](const char* word) { return baselines_ == std::vector<std::string>{word}; };
    const bool only = is("only"), all = is("all"), none = only || is("none");
    std::vector<std::string> ids;
    if (!only) ids.push_back("eigan");
    const std::vector<std::string> every =
        w.is_gan() ? std::vector<std::string>{"openblas", "eigen", "libtorch", "libtorch-plain", "pytorch", "eigan_o2"}
                   : std::vector<std::string>{"openblas", "eigen", "onednn", "libtorch", "pytorch", "eigan_o2"};
    for (const std::string& id : none ? std::vector<std::string>{} : all ? every : baselines_) {
      if (exists(folder() / program_of(id)))
        ids.push_back(id);
      else if (all)
        std::fprintf(stderr, "%s was not built: left out\n", id.c_str());
      else
        throw std::invalid_argument(id + " was not built (or is none of the baselines)");
    }
    for (const std::string& extra : extra_) ids.push_back(extra.substr(0, extra.find('=')));
    if (!none && busy_ == 0) ids.push_back("peak");
    return ids;
  }

  Entry entry(const std::string& id, const Workload& w, int threads) const {
    std::string program = (folder() / program_of(id)).string();
    std::string label, variant = id.find('-') == std::string::npos ? "" : id.substr(id.find('-') + 1);
    for (const std::string& extra : extra_)
      if (extra.starts_with(id + '=')) program = extra.substr(id.size() + 1), label = id, variant.clear();
    Entry e{id, threads, {program, std::string(w.name), std::to_string(threads)}, label, {}, 0, {}};
    if (!variant.empty()) e.command.push_back(variant);
    return e;
  }

  CLI::App app_;
  std::vector<int> threads_{1};
  std::vector<std::string> baselines_{"openblas", "eigen"};
  std::vector<std::string> extra_;
  std::string reference_ = "openblas";
  RoundOptions rounds_;
  int busy_ = 0;
  bool json_ = false;
};

/// Runs `program` with the workload that `choose()` names after parsing; what goes wrong becomes one line.
template <class Choose>
int paired_main(PairedProgram& program, int argc, char** argv, const Choose& choose) {
  try {
    program.app().parse(argc, argv);
    return program.run(workload(choose()));
  } catch (const CLI::ParseError& error) {
    return program.app().exit(error);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}

}  // namespace bench
