#include "run_report.hpp"

#include <filesystem>
#include <system_error>

#include "common/text.hpp"

namespace mnist_gan {
namespace {

std::vector<Report::Sheet> sheets_of(const RunFolder& folder, const Reached& reached, Index steps_per_epoch) {
  std::vector<Report::Sheet> sheets;
  std::error_code ignored;
  Index shown = 0;
  for (Index epoch = 1; epoch <= reached.epochs; ++epoch) {
    if (!std::filesystem::exists(folder.sheet(epoch), ignored)) continue;
    sheets.push_back({concat("epoch ", epoch), folder.sheet(epoch)});
    shown = epoch * steps_per_epoch;
  }
  if (shown < reached.steps) {
    const bool whole = reached.steps == reached.epochs * steps_per_epoch;
    sheets.push_back(
        {whole ? concat("epoch ", reached.epochs) : concat("step ", reached.steps), folder.file("samples.png")});
  }
  return sheets;
}

}  // namespace

Report run_report(const RunFolder& folder, const TrainOptions& options, const RunFacts& facts, const LossLog& log,
                  const ScoreLog& scores, const std::optional<Evaluation>& evaluation, const Reached& reached) {
  const auto& [epochs, steps, seconds, last_epoch] = reached;
  const bool stopped = epochs < options.recipe.epochs;
  Report report{
      .title = concat("A GAN on MNIST: ", folder.name()),
      .facts = {{"epochs", stopped ? concat(grouped(epochs), " of ", grouped(options.recipe.epochs), ", stopped")
                                   : grouped(epochs)},
                {"steps", grouped(steps)},
                {"time", duration(seconds)}},
      .sheets = sheets_of(folder, reached, facts.steps_per_epoch),
      .charts = log.charts(),
      .tables = {},
      .settings = described(options, facts)};
  if (epochs > 0) {
    for (const auto& [name, value] : {std::pair{"D loss", last_epoch.d_loss},
                                      {"G loss", last_epoch.g_loss},
                                      {"D(real)", last_epoch.d_real},
                                      {"D(fake)", last_epoch.d_fake}}) {
      report.facts.emplace_back(concat(name, ", last epoch"), fixed(value, 3));
    }
  }
  for (const auto& chart : scores.charts()) report.charts.push_back(chart);
  if (evaluation) {
    std::string note = evaluation->note;
    if (evaluation->read_as_asked)
      note += concat("; ", fixed(100 * *evaluation->read_as_asked, 2), " % of the digits read as asked for");
    report.tables.push_back({"Scores", evaluation->header(), evaluation->cells(), note});
  }
  return report;
}

}  // namespace mnist_gan
