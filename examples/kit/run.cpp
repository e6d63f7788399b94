#include "run.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <span>
#include <system_error>

#include <eigan/core/error.hpp>
#include <eigan/io/atomic_file.hpp>
#include <eigan/net/non_finite.hpp>

#include "build.hpp"
#include "exit_code.hpp"
#include "interrupt.hpp"
#include "terminal.hpp"
#include "text.hpp"

namespace kit {
namespace {

Progress::Detail progress_detail(const RunOptions& options, const Terminal& terminal) {
  if (options.quiet) return Progress::Detail::none;
  return terminal.live && !options.no_progress ? Progress::Detail::live : Progress::Detail::epochs;
}

std::string json_text(const JsonObject& first, const JsonObject& second) {
  return JsonObject(first).add(second).text();
}

}  // namespace

Run::Run(const RunOptions& options, Training training)
    : options_(options),
      training_(std::move(training)),
      folder_(options.out, training_.files),
      log_(training_.columns, options.log_every, training_.plan.steps_per_epoch),
      epoch_(training_.columns),
      last_epoch_(training_.columns.size()),
      scores_(training_.scores),
      checkpoints_(folder_, options.checkpoint_every, state_, step_),
      progress_(training_.plan, training_.columns, progress_detail(options, Terminal::detect()),
                Terminal::detect().colour) {}

bool Run::begin(const Settings& settings) {
  Interrupt::listen();
  config_ = json_text(settings.decisions, settings.others);
  for (const auto& [key, value] : settings.decisions.members())
    if (key == "epochs" && training_.may_grow)
      checkpoints_.add_note(key, value);
    else
      checkpoints_.add_condition(key, value);

  folder_.make();
  lock_ = folder_.lock();
  const eigan::Index all = training_.plan.steps();
  resumed_ = options_.resume && checkpoints_.load();
  if (options_.resume && folder_.is_finished() && (!resumed_ || step_ == all)) {
    if (!options_.quiet) say(folder_.name(), ": the run is finished already");
    return false;
  }
  if (step_ > all)
    throw eigan::Error(concat(folder_.name(), ": has done ", step_, " steps already, expected at most the ", all,
                              " of --epochs ", training_.plan.epochs));
  if (resumed_) {
    folder_.reopen();
  } else {
    refuse_occupied();
    folder_.create();
    if (checkpoints_.wanted()) checkpoints_.save();
  }
  eigan::write_file(folder_.file("config.json"), config_);
  if (!build_warning().empty()) say(build_warning());
  if (!options_.quiet) {
    say(settings.banner);
    if (resumed_) say("going on after step ", step_, " of ", all);
  }
  seconds_before_ = seconds_;
  start_ = Clock::now();
  start_progress();
  return true;
}

/// What cannot be a run, as a file that somebody has made up may have it; else empty.
std::string Run::fault() const {
  const eigan::Index per_epoch = training_.plan.steps_per_epoch;
  if (step_ < 0) return "expected steps of 0 and more";
  if (!(rate_ > 0 && rate_ <= 1)) return "expected learning rates of above 0 to 1 times the recipe's";
  if (epoch_.count() != step_ % per_epoch)
    return concat("expected an epoch of ", step_ % per_epoch, " steps so far, found ", epoch_.count());
  if (!(seconds_ >= 0 && std::isfinite(seconds_)) || retries_ < 0) return "expected a time and retries of 0 and more";
  const std::string in_log = log_.fault(step_);
  return in_log.empty() ? scores_.fault() : in_log;
}

void Run::refuse_occupied() const {
  const std::string there = folder_.occupant();
  if (there.empty() || options_.force) return;
  const std::string way =
      options_.resume ? "no checkpoint to go on from" : "--resume goes on with it where it has a checkpoint";
  throw eigan::Error(concat(folder_.name(), ": holds ", there == "result.json" ? "a finished run" : there, " already; ",
                            way, ", --force replaces it, --out names another folder"));
}

bool Run::next() {
  seconds_ = seconds_before_ + seconds_since(start_);
  if (step_ == training_.plan.steps()) return false;  // the end has more to save
  if (checkpoints_.due()) try_to([&] { checkpoints_.save(); });
  if (Interrupt::received() == 0) {
    if (ends_epoch()) start_progress();
    return true;
  }
  seconds_ = seconds_before_ + seconds_since(start_);
  return false;
}

bool Run::took(const std::vector<double>& measured) {
  if (measured.size() != training_.columns.size())
    eigan::detail::fail_contract("kit::Run: expected ", training_.columns.size(), " numbers of a step, got ",
                                 measured.size());
  ++step_;
  seconds_ = seconds_before_ + seconds_since(start_);
  std::string trouble;
  if (!eigan::all_finite(std::span<const double>(measured)))
    for (std::size_t i = 0; i < measured.size(); ++i)
      trouble += concat(trouble.empty() ? "" : ", ", training_.columns[i].name, ' ', six_digits(measured[i]));
  if (const auto place = state_.non_finite({options_.threads})) trouble += (trouble.empty() ? "" : ", ") + *place;
  if (!trouble.empty()) {
    progress_.clear();
    recover(trouble);
    start_progress();
    return false;
  }
  epoch_.add(measured);
  log_.add(measured);
  progress_.step(epoch_);
  if (ends_epoch()) {
    progress_.end_epoch(epoch_);
    last_epoch_ = epoch_.all();
    epoch_.clear();
    try_to([&] { log_.write_csv(folder_.file("losses.csv")); });
  }
  return true;
}

/// Goes back to a checkpoint with smaller rates, as often as --retries allows.
void Run::recover(const std::string& trouble) {
  const std::string what =
      concat("diverged at step ", step_, " (epoch ", (step_ - 1) / training_.plan.steps_per_epoch + 1, "): ", trouble);
  if (retries_ >= options_.retries) {
    try_to([&] { log_.closed().write_csv(folder_.file("losses.csv")); });
    const std::string kept = checkpoints_.wanted() ? "the last checkpoint is kept; " : "";
    throw Diverged(concat(what, "; ", kept, "a smaller --lr may help",
                          options_.retries == 0 ? ", --retries goes on with one by itself"
                                                : concat(", ", options_.retries, " retries did not")));
  }
  const double rate = rate_ / 2, best = scores_.best();  // whose model may be one of the branch that is given up
  const std::int64_t retries = retries_ + 1;
  try {
    if (!checkpoints_.roll_back()) throw eigan::Error("there is no checkpoint any more");
  } catch (const eigan::Error& error) {
    throw Diverged(concat(what, "; cannot go back: ", error.what()));
  }
  rate_ = rate;
  retries_ = retries;
  scores_.keep_best(best);
  // A process that goes on with this run knows of the retry, too.
  try_to([&] { checkpoints_.replace(); });
  say("warning: ", what, "; going on after step ", step_, " with ", shortest(rate), " of the learning rates (retry ",
      retries, " of ", options_.retries, ')');
}

void Run::close() {
  progress_.clear();
  // First what a later process can go on from. A folder that has vanished in the meantime is made again.
  if (!folder_.is_kept_by(lock_)) {
    folder_.make();
    lock_ = folder_.lock();
  }
  if (checkpoints_.wanted() || resumed_) try_to([&] { checkpoints_.save(); });
  eigan::write_file(folder_.file("config.json"), config_);
  const LossLog log = log_.closed();
  log.write_csv(folder_.file("losses.csv"));
  if (const auto charts = log.charts(); !charts.empty()) write_line_chart(folder_.file("losses.svg"), charts.front());
}

Report Run::report(const std::string& title) const {
  const Plan& plan = training_.plan;
  Report report;
  report.title = concat(title, ": ", folder_.name());
  report.facts = {
      {"epochs", epochs() < plan.epochs ? concat(grouped(epochs()), " of ", grouped(plan.epochs), ", stopped")
                                        : grouped(epochs())},
      {"steps", grouped(step_)},
      {"time", duration(seconds_)}};
  for (std::size_t i = 0; i < last_epoch_.size() && epochs() > 0; ++i)
    report.facts.emplace_back(concat(training_.columns[i].label, ", last epoch"), fixed(last_epoch_[i], 3));

  std::error_code ignored;
  std::int64_t shown = 0;
  for (eigan::Index epoch = 1; epoch <= epochs(); ++epoch) {
    if (!std::filesystem::exists(folder_.sheet(epoch), ignored)) continue;
    report.sheets.push_back({concat("epoch ", epoch), folder_.sheet(epoch)});
    shown = epoch * plan.steps_per_epoch;
  }
  if (shown < step_)
    report.sheets.push_back(
        {ends_epoch() ? concat("epoch ", epochs()) : concat("step ", step_), folder_.file("samples.png")});
  report.charts = log_.closed().charts();
  for (const LineChart& chart : scores_.charts()) report.charts.push_back(chart);
  return report;
}

int Run::end(const JsonObject& results) {
  if (epochs() < training_.plan.epochs) {
    say(training_.program, ": stopped after ", step_, " steps, ", epochs(), " whole epochs; ", folder_.name(),
        " holds what they gave", checkpoints_.wanted() ? ", --resume goes on from there" : "");
    return by_signal + Interrupt::received();
  }
  JsonObject object;
  object.add("epochs", epochs()).add("steps", step_).add("seconds", std::round(1000 * seconds_) / 1000);
  for (std::size_t i = 0; i < last_epoch_.size(); ++i)
    object.add(concat("last_epoch_", training_.columns[i].name), last_epoch_[i]);
  eigan::write_file(folder_.file("result.json"), json_text(object, results));
  return success;
}

}  // namespace kit
