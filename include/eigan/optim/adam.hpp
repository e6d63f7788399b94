// Adam (Kingma and Ba 2015), with the semantics of torch.optim.Adam. At step t, counted from 1, for each parameter:
//   g += weight_decay p
//   m = beta1 m + (1 - beta1) g          v = beta2 v + (1 - beta2) g^2
//   p -= lr / (1 - beta1^t) m / ( sqrt(v) / sqrt(1 - beta2^t) + eps )
// One optimiser serves one flat parameter buffer: one clock t, two moment buffers.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>

#include <eigan/core/buffer.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/kernels/adam.hpp>
#include <eigan/optim/check_update.hpp>

namespace eigan {

/// Names and values as in torch.optim.Adam.
struct AdamOptions {
  double lr = 1e-3;         ///< the learning rate, >= 0 and finite, as all that follow
  double beta1 = 0.9;       ///< how much of m stays, in [0, 1)
  double beta2 = 0.999;     ///< how much of v stays, in [0, 1)
  double eps = 1e-8;        ///< added to the root
  double weight_decay = 0;  ///< the share of p in its gradient
};

/// Adam (Kingma and Ba 2015): steps by the gradient's running mean over the root of its running square.
template <class T = float>
class Adam {
 public:
  /// For `size` parameters. Throws std::invalid_argument for an option outside its range.
  explicit Adam(Index size, AdamOptions options = {}) : Adam(size, options, "eigan::Adam", false) {}

  /// One step over all parameters.
  void step(std::span<T> params, std::span<const T> grad) {
    detail::check_update(name_, moment1_.size(), params, grad, 0, moment1_.size());
    begin_step();
    update(params, grad, 0, moment1_.size());
  }

  /// A step in parts: begin_step advances the clock, then disjoint ranges are updated in any order, from any thread.
  /// Throws std::invalid_argument, before anything has changed, for an option that was set to something out of range.
  void begin_step() {
    check_options();
    ++t_;
    begun_ = true;
    const auto t = static_cast<double>(t_);
    coefficients_ = {.beta1 = static_cast<T>(options_.beta1),
                     .rest1 = static_cast<T>(1 - options_.beta1),
                     .beta2 = static_cast<T>(options_.beta2),
                     .rest2 = static_cast<T>(1 - options_.beta2),
                     .step_size = static_cast<T>(options_.lr / (1 - std::pow(options_.beta1, t))),
                     .inv_sqrt_correction2 = static_cast<T>(1 / std::sqrt(1 - std::pow(options_.beta2, t))),
                     .eps = static_cast<T>(options_.eps),
                     .weight_decay = static_cast<T>(decoupled_ ? 0 : options_.weight_decay),
                     .keep = static_cast<T>(decoupled_ ? std::fma(-options_.lr, options_.weight_decay, 1.0) : 1.0)};
  }
  /// Updates the parameters [first, first + count) by their gradients.
  void update(std::span<T> params, std::span<const T> grad, Index first, Index count) {
    detail::check_update(name_, moment1_.size(), params, grad, first, count);
    if (count == 0) return check_options();
    if (!begun_) detail::fail_contract(name_, ": update() before the first begin_step()");
    detail::adam_kernels<T>().adam(count, coefficients_, grad.data() + first, moment1_.data() + first,
                                   moment2_.data() + first, params.data() + first);
  }

  /// They may be changed between steps, as a learning rate's schedule does.
  AdamOptions& options() { return options_; }
  const AdamOptions& options() const { return options_; }
  /// Steps taken.
  std::int64_t steps() const { return t_; }

  /// Names everything that steps change, as torch.optim.Adam's state_dict does: for checkpoints (io/checkpoint.hpp).
  template <class Visit>
  void visit_state(Visit&& visit) {
    begun_ = false;  // coefficients belong to a step, and no step is going on
    visit("step", t_, 0, std::int64_t{1} << 53);
    visit("exp_avg", moment1_);
    visit("exp_avg_sq", moment2_);
  }

 protected:
  /// For AdamW: the name in messages, and whether weights decay apart from their gradients.
  Adam(Index size, AdamOptions options, const char* name, bool decoupled)
      : name_(name), decoupled_(decoupled), options_(options), moment1_(size), moment2_(size) {
    check_options();
  }

 private:
  void check_options() const {
    detail::check_setting<T>(name_, "lr", options_.lr);
    detail::check_share(name_, "beta1", options_.beta1);
    detail::check_share(name_, "beta2", options_.beta2);
    detail::check_setting<T>(name_, "eps", options_.eps);
    detail::check_setting<T>(name_, "weight_decay", options_.weight_decay);
  }

  const char* name_;
  bool decoupled_;
  AdamOptions options_;
  Buffer<T> moment1_;
  Buffer<T> moment2_;
  detail::AdamCoefficients<T> coefficients_{};
  std::int64_t t_ = 0;
  bool begun_ = false;
};

}  // namespace eigan
