// The report of a training: what it was told, and what it has come to.
#pragma once

#include <optional>

#include "banner.hpp"
#include "evaluate.hpp"
#include "losses.hpp"
#include "options.hpp"
#include "report.hpp"
#include "run_folder.hpp"
#include "score_log.hpp"

namespace mnist_gan {

/// How far a training has come.
struct Reached {
  Index epochs;  ///< whole ones
  Index steps;
  double seconds;
  StepLosses last_epoch;
};

/// The sheets are those that are in the folder, samples.png for what was learnt after the last of them.
Report run_report(const RunFolder& folder, const TrainOptions& options, const RunFacts& facts, const LossLog& log,
                  const ScoreLog& scores, const std::optional<Evaluation>& evaluation, const Reached& reached);

}  // namespace mnist_gan
