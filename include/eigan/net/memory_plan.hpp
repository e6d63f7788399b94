// plan_memory: which levels of a network share memory in a training pass, and which steps add to a gradient.
//
// Activations: an element-wise layer writes over its input, and a sum over the last level it reads, if that is no input
// of the network, nobody else reads it, neither its maker nor this layer reads it on the way back, and this layer takes
// no statistics of it behind the pass.
// Gradients: an element-wise layer without parameters turns dy into dx in place, and a sum hands dy down as it is, if
// nobody else reads that level. Of several readers of a level, the first on the way back assigns its gradient and the
// others add theirs, in the list's order: the sum has the same bits for any number of threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include <eigan/net/steps.hpp>

namespace eigan::detail {

struct MemoryPlan {
  std::vector<std::size_t> activation, gradient;  ///< of each level: the level whose memory it has, itself if its own
  std::vector<std::vector<bool>> adds;            ///< of each step and each level it reads
  Index spare_features = 0;                       ///< the widest level to which a layer adds; 0 if none does
};

/// `separate`: every level has memory of its own.
template <class T>
MemoryPlan plan_memory(const Steps<T>& net, bool separate) {
  const std::size_t levels = net.levels().size();
  MemoryPlan plan{std::vector<std::size_t>(levels), std::vector<std::size_t>(levels), {}, 0};
  std::iota(plan.activation.begin(), plan.activation.end(), std::size_t{0});
  std::iota(plan.gradient.begin(), plan.gradient.end(), std::size_t{0});
  const auto has_one_reader = [&](std::size_t level) { return level >= net.inputs() && net.readers(level) == 1; };

  std::vector<bool> maker_reads(levels, true);  // on the way back; of an input: the caller keeps it
  for (const Step<T>& step : net.steps()) {
    const std::size_t from = step.reads.back();
    const detail::LayerTraits& layer = step.traits();
    const bool in_place = step.kind == StepKind::sum || (layer.elementwise && !layer.reads_x && !layer.statistics);
    if (!separate && in_place && has_one_reader(from) && !maker_reads[from])
      plan.activation[step.writes] = plan.activation[from];
    maker_reads[step.writes] = step.kind == StepKind::layer && step.traits().reads_y;
  }

  std::vector<bool> assigned(levels, false);
  plan.adds.resize(net.steps().size());
  for (std::size_t s = net.steps().size(); s-- > 0;) {
    const Step<T>& step = net.steps()[s];
    for (const std::size_t from : step.reads) {
      plan.adds[s].push_back(assigned[from]);
      assigned[from] = true;
      if (plan.adds[s].back() && step.kind == StepKind::layer)
        plan.spare_features = std::max(plan.spare_features, net.levels()[from].size());
    }
    const std::size_t from = step.reads.back();
    const bool in_place = step.kind == StepKind::sum || (step.traits().elementwise && !step.traits().parametric);
    if (!separate && in_place && has_one_reader(from)) plan.gradient[from] = plan.gradient[step.writes];
  }
  return plan;
}

}  // namespace eigan::detail
