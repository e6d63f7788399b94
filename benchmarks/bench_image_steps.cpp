// Whole training steps of networks of images, in turns with libtorch's step of the same network and, of two of them,
// with oneDNN's primitives for their convolutions alone.
#include <CLI/CLI.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "image_steps.hpp"
#include "paired/report.hpp"

namespace {

using bench::Entry;
using nlohmann::json;

struct Peer {
  const char* id;
  const char* what;  ///< of the ratio
  bool at_most;      ///< whether eigan's time over the peer's is to be at most the target; else the other way round
  double target;
  bool translates;  ///< whether it has the steps that translate pictures
};
constexpr Peer peers[] = {{"onednn", "eigan's time to oneDNN's convolutions", true, 1.3, false},
                          {"libtorch", "libtorch's time to eigan's", false, 2.5, true}};

struct Options {
  std::vector<std::string> steps = bench::image_step_names();
  int threads = 2;
  bench::RoundOptions rounds{.rounds = 41, .lives = 3, .turn_ms = 300};
  bool json = false;
};

std::filesystem::path program(const std::string& id) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "contenders" / ("images_" + id);
}

/// Peers run the instructions that EIGAN_FORCE_ISA leaves to eigan.
void hold_peers_to(eigan::Isa isa) {
  if (isa == eigan::Isa::avx512) return;
  const bool avx2 = isa == eigan::Isa::avx2;
  setenv("DNNL_MAX_CPU_ISA", avx2 ? "AVX2" : "SSE41", 1);
  setenv("ATEN_CPU_CAPABILITY", avx2 ? "avx2" : "default", 1);
}

/// Both train the same network on the same numbers: their first losses must agree before it means anything who is
/// faster. The second loss has been through all gradients.
double check_losses(const Entry& ours, const Entry& theirs) {
  const auto losses = [](const Entry& e) {
    return json::parse(bench::Contender(e.command, e.threads).about()).at("losses").get<std::vector<double>>();
  };
  const std::vector<double> a = losses(ours), b = losses(theirs);
  double worst = a.empty() || a.size() != b.size() ? 1 : 0;
  for (std::size_t i = 0; worst < 1 && i < a.size(); ++i) {
    const double off = std::abs(a[i] - b[i]) / std::abs(b[i]);
    worst = off <= worst ? worst : off;  // a NaN's, too
  }
  if (!(worst <= 1e-3))
    throw std::runtime_error("the losses of eigan and libtorch differ: " + json(a).dump() + ", " + json(b).dump());
  return worst;
}

json measure(const std::string& name, const Options& options) {
  const bench::ImageStep step = bench::image_step(name);
  std::vector<Entry> entries;
  const auto add = [&](const std::string& id) {
    entries.push_back(
        {id, options.threads, {program(id).string(), name, std::to_string(options.threads)}, "", {}, 0, {}});
  };
  add("eigan");
  for (const Peer& peer : peers) {
    if (step.translates() && !peer.translates) continue;
    if (exists(program(peer.id)))
      add(peer.id);
    else
      std::fprintf(stderr, "%s was not built: left out\n", peer.id);
  }
  json result{{"step", name}, {"batch", step.batch}, {"contenders", json::array()}, {"ratios", json::array()}};
  if (const Entry* libtorch = bench::find_entry(entries, "libtorch", options.threads))
    result["losses_differ_by"] = check_losses(entries.front(), *libtorch);
  bench::run_rounds(entries, options.rounds);
  for (const Entry& e : entries)
    result["contenders"].push_back({{"contender", e.id},
                                    {"name", json::parse(e.about).at("name")},
                                    {"ms", bench::to_json(bench::summarise(e.step_ms))},
                                    {"round_ms", e.round_ms}});
  for (const Peer& peer : peers) {
    const Entry* other = bench::find_entry(entries, peer.id, options.threads);
    if (other == nullptr) continue;
    const Entry& eigan = entries.front();
    const std::vector<double> each = peer.at_most ? bench::ratios(eigan, *other) : bench::ratios(*other, eigan);
    const double median = bench::quantile(each, 0.5);
    const auto [lower, upper] = bench::median_bounds(each);
    result["ratios"].push_back({{"what", peer.what},
                                {"target", (peer.at_most ? "at most " : "at least ") + json(peer.target).dump()},
                                {"median", median},
                                {"lower", lower},
                                {"upper", upper},
                                {"met", peer.at_most ? median <= peer.target : median >= peer.target}});
  }
  return result;
}

void print(const json& all) {
  std::printf("%s, %d processors, %s, %d threads; %s %s; %s; %d rounds, processes started afresh %d times\n",
              all["processor"].get<std::string>().c_str(), all["processors"].get<int>(),
              all["isa"].get<std::string>().c_str(), all["threads"].get<int>(),
              all["compiler"].get<std::string>().c_str(), all["flags"].get<std::string>().c_str(),
              all["date"].get<std::string>().c_str(), all["rounds"].get<int>(), all["lives"].get<int>());
  std::printf("\n| step | contender | ms a step: median (p10 to p90) | least |\n|---|---|---|---|\n");
  for (const json& step : all["results"])
    for (const json& c : step["contenders"])
      std::printf("| %s, batch %d | %s | %.2f (%.2f to %.2f) | %.2f |\n", step["step"].get<std::string>().c_str(),
                  step["batch"].get<int>(), c["name"].get<std::string>().c_str(), c["ms"]["median"].get<double>(),
                  c["ms"]["p10"].get<double>(), c["ms"]["p90"].get<double>(), c["ms"]["min"].get<double>());
  std::printf("\n| step | ratio, round by round | target | median (95 %% bounds) | met |\n|---|---|---|---|---|\n");
  for (const json& step : all["results"])
    for (const json& r : step["ratios"])
      std::printf("| %s | %s | %s | %.2f (%.2f to %.2f) | %s |\n", step["step"].get<std::string>().c_str(),
                  r["what"].get<std::string>().c_str(), r["target"].get<std::string>().c_str(),
                  r["median"].get<double>(), r["lower"].get<double>(), r["upper"].get<double>(),
                  r["met"].get<bool>() ? "yes" : "no");
  for (const json& step : all["results"])
    if (step.contains("losses_differ_by"))
      std::printf("\n%s: eigan's and libtorch's first losses differ by %.1e at most.\n",
                  step["step"].get<std::string>().c_str(), step["losses_differ_by"].get<double>());
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app(
      "Times whole training steps of networks of images in turns with oneDNN's convolutions alone and with libtorch's\n"
      "whole step.\n"
      "  dcgan      28 x 28, batch 64, a step of D and one of G\n"
      "  unet       64 x 64, base 32, batch 8, L1\n"
      "Those of examples/image_to_image, batch 16, beside libtorch alone:\n"
      "  pix2pix    28 x 28, grey, recipe edges2fashion\n"
      "  pix2pix32  32 x 32, from grey to colour, recipe outline2emoji\n"
      "  full-unet  32 x 32, colour, recipe flat2shaded, L1\n"
      "  cyclegan   28 x 28, grey, the networks of mnist2fonts, the losses of the paper\n"
      "EIGAN_FORCE_ISA=avx2 holds all of them to AVX2.");
  app.add_option("--step", options.steps, "Which of them: dcgan,unet; all unless given")->delimiter(',');
  app.add_option("--threads", options.threads, "Threads of each")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--rounds", options.rounds.rounds, "Turns of each")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--lives", options.rounds.lives, "Times that each process is started afresh")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--steps", options.rounds.steps, "Timed steps of a turn; 0: as many as fit into --turn")
      ->capture_default_str();
  app.add_option("--turn", options.rounds.turn_ms, "Milliseconds of a turn")->capture_default_str();
  app.add_flag("--json", options.json, "One JSON object instead of tables");
  CLI11_PARSE(app, argc, argv);
  options.rounds.lives = std::min(options.rounds.lives, options.rounds.rounds);
  hold_peers_to(eigan::active_isa());

  json results = json::array();
  for (const std::string& step : options.steps) results.push_back(measure(step, options));
  const json all{{"processor", bench::processor_name()},
                 {"processors", std::thread::hardware_concurrency()},
                 {"isa", to_string(eigan::active_isa())},
                 {"threads", options.threads},
                 {"compiler", bench::compiler_name()},
                 {"flags", EIGAN_BENCH_FLAGS},
                 {"date", bench::today()},
                 {"rounds", options.rounds.rounds},
                 {"lives", options.rounds.lives},
                 {"results", std::move(results)}};
  if (options.json)
    std::printf("%s\n", all.dump().c_str());
  else
    print(all);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
  return 1;
}
