// A network run step by step, as its list says and no faster: the whole batch at once, on one thread, with every level
// and every gradient in a matrix of its own, and joins written out element by element. What tapes, tiles, parts and
// threads do must come to the same bits.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <eigan/net/basic_model.hpp>

namespace by_hand {

using namespace eigan;

template <class T>
struct Pass {
  std::vector<Matrix<T>> levels;     ///< the inputs, then what each step makes
  std::vector<Matrix<T>> gradients;  ///< with respect to each level
  std::vector<T> grad;               ///< with respect to the parameters

  const Matrix<T>& y() const { return levels.back(); }
  const Matrix<T>& dx(std::size_t i = 0) const { return gradients[i]; }
};

/// Where element (c, pixel) of a level lies in its columns; the one pixel of a vector serves for all.
inline Index place(Shape shape, Index channel, Index pixel) {
  return shape.is_vector() ? channel : channel + shape.channels * pixel;
}

/// f(element of y, element of x) for all that the join takes from its read number `read`.
template <class T, class F>
void for_each_joined(const Steps<T>& net, const Step<T>& step, std::size_t read, const F& f) {
  const Shape y = net.levels()[step.writes], x = net.levels()[step.reads[read]];
  if (step.kind == StepKind::sum) {
    for (Index i = 0; i < y.size(); ++i) f(i, i);
    return;
  }
  Index first = 0;
  for (std::size_t r = 0; r < read; ++r) first += net.levels()[step.reads[r]].channels;
  for (Index pixel = 0; pixel < y.pixels(); ++pixel)
    for (Index c = 0; c < x.channels; ++c) f(place(y, first + c, pixel), place(x, c, pixel));
}

template <class T>
void join(const Steps<T>& net, const Step<T>& step, std::vector<Matrix<T>>& levels) {
  Matrix<T>& y = levels[step.writes];
  y.resize(net.levels()[step.writes].size(), levels[0].cols());
  for (std::size_t read = step.reads.size(); read-- > 0;) {  // a sum begins with the last
    const Matrix<T>& x = levels[step.reads[read]];
    const bool adds = step.kind == StepKind::sum && read + 1 < step.reads.size();
    for_each_joined(net, step, read,
                    [&](Index i, Index k) { y.row(i) = adds ? Matrix<T>(y.row(i) + x.row(k)) : Matrix<T>(x.row(k)); });
  }
}

/// The gradients with respect to all levels: of a level's readers, the first on the way back assigns, the others add.
template <class T>
class Gradients {
 public:
  explicit Gradients(std::size_t levels) : all_(levels), assigned_(levels, false) {}

  std::vector<Matrix<T>>& all() { return all_; }
  /// What a layer gives.
  void give(std::size_t level, const Matrix<T>& dx) {
    all_[level] = assigned_[level] ? Matrix<T>(all_[level] + dx) : dx;
    assigned_[level] = true;
  }
  /// What a join gives.
  void give_joined(const Steps<T>& net, const Step<T>& step, std::size_t read) {
    const std::size_t level = step.reads[read];
    const Shape x = net.levels()[level], y = net.levels()[step.writes];
    const Matrix<T>& dy = all_[step.writes];
    Matrix<T>& dx = all_[level];
    const bool repeats = step.kind == StepKind::concatenation && x.is_vector() && !y.is_vector();
    const bool adds = assigned_[level] || repeats;
    if (!assigned_[level]) dx.setZero(x.size(), dy.cols());
    for_each_joined(net, step, read, [&](Index i, Index k) {
      dx.row(k) = adds ? Matrix<T>(dx.row(k) + dy.row(i)) : Matrix<T>(dy.row(i));
    });
    assigned_[level] = true;
  }

 private:
  std::vector<Matrix<T>> all_;
  std::vector<bool> assigned_;
};

/// What the layers prepare for a pass, in one buffer.
template <class T>
std::vector<T> prepared(const BasicModel<T>& model, Phase phase) {
  std::vector<T> q(static_cast<std::size_t>(model.steps().prepared_size()));
  for (const Step<T>& step : model.steps().steps())
    if (step.prepared_size > 0)
      step.table->prepare(step.layer.get(), step.slice(model.params()), step.state_slice(model.state()),
                          step.prepared_slice(std::span<T>(q)), phase);
  return q;
}

/// Forward in training, then backward from dy.
template <class T>
Pass<T> train(const BasicModel<T>& model, std::vector<Matrix<T>> inputs, const Matrix<T>& dy, Rng rng,
              Index first_sample = 0) {
  const Steps<T>& net = model.steps();
  const std::vector<T> q = prepared(model, Phase::training);
  const auto params_of = [&](const Step<T>& s) {
    return Prepared<T>{s.slice(model.params()), s.prepared_slice(std::span<const T>(q))};
  };
  const Index batch = inputs[0].cols();
  std::vector<Matrix<T>> levels = std::move(inputs);
  levels.resize(net.levels().size());
  for (std::size_t s = 0; s < net.steps().size(); ++s) {
    const Step<T>& step = net.steps()[s];
    if (step.kind != StepKind::layer) {
      join(net, step, levels);
      continue;
    }
    const ConstView<T> x = levels[step.reads[0]];
    levels[step.writes].resize(net.levels()[step.writes].size(), batch);
    if (step.traits().coupled)
      step.table->forward_parts(step.layer.get(), params_of(step), x, levels[step.writes], 0, step.part_count());
    else
      step.table->forward_train(step.layer.get(), params_of(step), x, levels[step.writes],
                                {rng.fold_in(s), first_sample});
  }

  std::vector<T> grad(static_cast<std::size_t>(model.param_size()));
  Gradients<T> gradients(net.levels().size());
  gradients.all().back() = dy;
  for (std::size_t s = net.steps().size(); s-- > 0;) {
    const Step<T>& step = net.steps()[s];
    if (step.kind != StepKind::layer) {
      for (std::size_t read = 0; read < step.reads.size(); ++read) gradients.give_joined(net, step, read);
      continue;
    }
    const void* const layer = step.layer.get();
    const ConstView<T> x = levels[step.reads[0]], y = levels[step.writes], dys = gradients.all()[step.writes];
    Matrix<T> dx(x.rows(), batch);
    if (step.traits().coupled)
      step.table->backward_input_parts(layer, params_of(step), x, y, dys, dx, 0, step.part_count());
    else
      step.table->backward_input(layer, params_of(step), x, y, dys, dx, {rng.fold_in(s), first_sample});
    gradients.give(step.reads[0], dx);
    if (step.size == 0) continue;
    const std::span<T> dp = step.slice(std::span<T>(grad));
    const Index blocks = step.table->block_count(layer), splits = step.table->gradient_splits(layer, batch);
    for (Index i = 0; i < splits; ++i) {
      const Index first = batch * i / splits, count = batch * (i + 1) / splits - first;
      std::vector<T> part(dp.size());
      if (count > 0)
        step.table->backward_params(layer, params_of(step), x.columns(first, count), y.columns(first, count),
                                    dys.columns(first, count), part, 0, blocks);
      for (std::size_t k = 0; k < dp.size(); ++k) dp[k] += part[k];
    }
  }
  return {std::move(levels), std::move(gradients.all()), std::move(grad)};
}

/// Forward at inference.
template <class T>
Matrix<T> infer(const BasicModel<T>& model, std::vector<Matrix<T>> levels) {
  const Steps<T>& net = model.steps();
  const std::vector<T> q = prepared(model, Phase::inference);
  const Index n = levels[0].cols();
  levels.resize(net.levels().size());
  for (const Step<T>& step : net.steps()) {
    if (step.kind != StepKind::layer) {
      join(net, step, levels);
      continue;
    }
    levels[step.writes].resize(net.levels()[step.writes].size(), n);
    step.table->forward(step.layer.get(), {step.slice(model.params()), step.prepared_slice(std::span<const T>(q))},
                        levels[step.reads[0]], levels[step.writes]);
  }
  return levels.back();
}

}  // namespace by_hand
