// GradientPenalty: keeps the slope of a discriminator D under control. With g_j = d(sum of D's outputs)/dx at sample j:
//   R1        gamma / 2 mean_j |g_j|^2        at real samples (Mescheder, Geiger, Nowozin 2018)
//   WGAN-GP   lambda mean_j (|g_j| - 1)^2     between real and generated ones (Gulrajani et al. 2017)
// Their gradients are second derivatives. With a direction u_j held fixed, <g, u> is D's derivative in the direction u,
// and both penalties' gradients are those of <g, u>: u_j = gamma / batch g_j, or 2 lambda / batch (1 - 1 / |g_j|) g_j,
// 0 where g_j is. So (x, u) goes forward through the network and (0, 1) back. What the way back of g left at each level
// is the second half of that; the first half, the curvature, is empty for networks that are linear piece by piece.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include <eigan/core/buffer.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/core/random.hpp>
#include <eigan/net/basic_model.hpp>
#include <eigan/optim/check_update.hpp>

namespace eigan {

/// The memory of a penalty on a model's slope with respect to its first input.
template <class T = float>
class GradientPenalty {
 public:
  /// For batches of up to `capacity` samples. Throws std::invalid_argument, naming it, for a layer that has no tangent,
  /// such as a batch normalisation.
  GradientPenalty(const BasicModel<T>& model, Index capacity)
      : tape_(model.separate_tape(capacity)), slope_(model.input_size(), capacity), x_(model.input_size(), capacity) {
    const Steps<T>& net = model.steps();
    for (const Step<T>& step : net.steps()) {
      if (step.kind == StepKind::layer && !step.traits().tangent)
        detail::fail_contract("eigan::GradientPenalty: expected layers with a tangent, found layer ", step.name, ", ",
                              step.spec().text());
      curved_ = curved_ || step.traits().curved;
    }
    Index widest = 0;
    for (const Shape& level : net.levels()) {
      widest = std::max(widest, level.size());
      tangents_.emplace_back(level.size(), capacity);
      adjoints_.emplace_back(curved_ ? level.size() : 0, capacity);
    }
    if (curved_) spare_ = BufferMatrix<T>(widest, capacity);
  }

  /// Adds R1's gradient to `grad`, as a discriminator_step that follows expects it in its workspace, and returns the
  /// penalty. real: all inputs of the model. Dropout masks come from `rng`.
  T add_r1(const BasicModel<T>& model, std::span<const ConstView<T>> real, T gamma, std::span<T> grad, Rng rng,
           Threads threads = {}) {
    detail::check_setting<T>("eigan::GradientPenalty", "gamma", static_cast<double>(gamma));
    return add(model, real, grad, rng, threads, [&](double norm, double batch) {
      return Direction{static_cast<double>(gamma) / batch, static_cast<double>(gamma) / 2 * norm * norm};
    });
  }
  T add_r1(const BasicModel<T>& model, std::type_identity_t<ConstView<T>> real, T gamma, std::span<T> grad, Rng rng,
           Threads threads = {}) {
    return add_r1(model, std::array{real}, gamma, grad, rng, threads);
  }

  /// Adds WGAN-GP's gradient. Each sample lies between a real and a generated one, at a place that `rng` draws. Further
  /// inputs are the real samples'.
  T add_wgan_gp(const BasicModel<T>& model, std::span<const ConstView<T>> real, std::type_identity_t<ConstView<T>> fake,
                T lambda, std::span<T> grad, Rng rng, Threads threads = {}) {
    detail::check_setting<T>("eigan::GradientPenalty", "lambda", static_cast<double>(lambda));
    model.check_inputs(real);
    const Index batch = real[0].cols();
    if (fake.cols() != batch || fake.rows() != real[0].rows())
      detail::fail_contract("eigan::GradientPenalty: real samples are ", real[0].rows(), " x ", batch,
                            ", generated ones ", fake.rows(), " x ", fake.cols());
    if (batch > x_.cols() || real[0].rows() != x_.rows())
      detail::fail_contract("eigan::GradientPenalty: holds up to ", x_.cols(), " samples of ", x_.rows(),
                            " features, got ", batch, " of ", real[0].rows());
    View<T> x = x_.view().columns(0, batch);
    for (Index j = 0; j < batch; ++j) {
      const auto at = static_cast<T>(rng.fold_in(0).uniform(0, j));
      x.col(j) = at * real[0].col(j) + (1 - at) * fake.col(j);
    }
    inputs_.resize(real.size());
    for (std::size_t i = 0; i < real.size(); ++i) inputs_[i].rebind(i == 0 ? ConstView<T>(x) : real[i]);
    return add(model, inputs_, grad, rng.fold_in(1), threads, [&](double norm, double n) {
      const double excess = norm - 1;
      return Direction{norm > 0 ? 2 * static_cast<double>(lambda) / n * excess / norm : 0,
                       static_cast<double>(lambda) * excess * excess};
    });
  }
  T add_wgan_gp(const BasicModel<T>& model, std::type_identity_t<ConstView<T>> real,
                std::type_identity_t<ConstView<T>> fake, T lambda, std::span<T> grad, Rng rng, Threads threads = {}) {
    return add_wgan_gp(model, std::array{real}, fake, lambda, grad, rng, threads);
  }

 private:
  struct Direction {
    double factor;   // u_j = factor g_j
    double penalty;  // of the sample
  };

  template <class F>
  T add(const BasicModel<T>& model, std::span<const ConstView<T>> inputs, std::span<T> grad, Rng rng, Threads threads,
        const F& direction) {
    model.forward(tape_, inputs, {rng, 0}, threads);
    tape_.output_gradient().setOnes();
    model.check_backward(tape_, grad);
    const Index batch = tape_.batch();
    View<T> slope = slope_.view().columns(0, batch);
    model.backward_input(tape_, slope, threads);

    double sum = 0;
    for (Index j = 0; j < batch; ++j) {
      double squares = 0;
      for (Index i = 0; i < slope.rows(); ++i)
        squares += static_cast<double>(slope(i, j)) * static_cast<double>(slope(i, j));
      const Direction u = direction(std::sqrt(squares), static_cast<double>(batch));
      sum += u.penalty;
      View<T> tangent = tangents_[0].view();  // in double: next to a slope of 0 the factor is too large for a float
      for (Index i = 0; i < slope.rows(); ++i)
        tangent(i, j) = static_cast<T>(static_cast<double>(slope(i, j)) * u.factor);
    }
    const Steps<T>& net = model.steps();
    constexpr Index tile = 32;
    double work = 0;
    for (const Step<T>& step : net.steps()) work += 2 * step.operations * static_cast<double>(batch);
    detail::parallel_for((batch + tile - 1) / tile, work, threads, [&](Index i) {
      const Index first = i * tile, count = std::min(tile, batch - first);
      send_tangents(model, first, count);
      if (curved_) return_adjoints(model, first, count);
    });
    detail::parallel_for(static_cast<Index>(net.steps().size()), work, threads, [&](Index s) {
      const Step<T>& step = net.steps()[static_cast<std::size_t>(s)];
      if (step.size > 0) add_params(model, step, step.slice(grad));
    });
    return static_cast<T>(sum / static_cast<double>(batch));
  }

  Prepared<T> params_of(const BasicModel<T>& model, const Step<T>& step) const {
    return {step.slice(model.params()), step.prepared_slice(tape_.prepared())};
  }
  View<T> tangent(std::size_t level, Index first, Index count) { return tangents_[level].view().columns(first, count); }
  View<T> adjoint(std::size_t level, Index first, Index count) { return adjoints_[level].view().columns(first, count); }

  /// The tangents of some samples, through all steps.
  void send_tangents(const BasicModel<T>& model, Index first, Index count) {
    const Steps<T>& net = model.steps();
    for (std::size_t s = 0; s < net.steps().size(); ++s) {
      const Step<T>& step = net.steps()[s];
      const View<T> ty = tangent(step.writes, first, count);
      const auto tx = [&](std::size_t level) { return ConstView<T>(tangent(level, first, count)); };
      if (step.kind != StepKind::layer) {
        detail::join(net, step, ty, tx);
        continue;
      }
      step.table->forward_tangent(step.layer.get(), params_of(model, step),
                                  tape_.activation(step.reads[0]).columns(first, count),
                                  tape_.activation(step.writes).columns(first, count), tx(step.reads[0]), ty,
                                  {tape_.draw().rng.fold_in(s), tape_.draw().first_sample + first});
    }
  }

  /// The adjoints of x, from the curvature of the layers behind.
  void return_adjoints(const BasicModel<T>& model, Index first, Index count) {
    const Steps<T>& net = model.steps();
    for (std::size_t level = 0; level < net.levels().size(); ++level) adjoint(level, first, count).setZero();
    for (std::size_t s = net.steps().size(); s-- > 0;) {
      const Step<T>& step = net.steps()[s];
      const ConstView<T> dy = adjoint(step.writes, first, count);
      if (step.kind != StepKind::layer) {
        detail::join_backward(
            net, step, dy, [&](std::size_t read) { return adjoint(step.reads[read], first, count); },
            [](std::size_t) { return true; });
        continue;
      }
      const std::size_t level = step.reads[0];
      const ConstView<T> x = tape_.activation(level).columns(first, count);
      const ConstView<T> y = tape_.activation(step.writes).columns(first, count);
      View<T> spare = spare_.view().columns(first, count);
      View<T> dx(spare.data(), x.rows(), count, spare.outerStride());
      step.table->backward_input(step.layer.get(), params_of(model, step), x, y, dy, dx,
                                 {tape_.draw().rng.fold_in(s), tape_.draw().first_sample + first});
      step.table->add_curvature(step.layer.get(), params_of(model, step), x, y, tangent(level, first, count),
                                tape_.gradient(step.writes).columns(first, count), dx);
      adjoint(level, first, count) += dx;
    }
  }

  void add_params(const BasicModel<T>& model, const Step<T>& step, std::span<T> dp) {
    const Index batch = tape_.batch();
    const ConstView<T> x = tape_.activation(step.reads[0]), y = tape_.activation(step.writes);
    step.table->backward_params_tangent(step.layer.get(), params_of(model, step), x, y,
                                        tangent(step.reads[0], 0, batch), tape_.gradient(step.writes), dp);
    if (curved_)
      step.table->backward_params(step.layer.get(), params_of(model, step), x, y, adjoint(step.writes, 0, batch), dp, 0,
                                  step.table->block_count(step.layer.get()));
  }

  Tape<T> tape_;
  BufferMatrix<T> slope_, x_;
  std::vector<BufferMatrix<T>> tangents_, adjoints_;
  BufferMatrix<T> spare_;
  std::vector<ConstView<T>> inputs_;
  bool curved_ = false;
};

}  // namespace eigan
