// RMSprop (Hinton 2012), with the semantics of torch.optim.RMSprop:
//   g += weight_decay p
//   v = alpha v + (1 - alpha) g^2          u = momentum u + g / ( sqrt(v) + eps )          p -= lr u
// Its centred variant is refused by name.
#pragma once

#include <span>

#include <eigan/core/buffer.hpp>
#include <eigan/core/error.hpp>
#include <eigan/kernels/rmsprop.hpp>
#include <eigan/optim/check_update.hpp>

namespace eigan {

/// Names and values as in torch.optim.RMSprop.
struct RMSpropOptions {
  double lr = 1e-2;         ///< the learning rate, >= 0 and finite, as all that follow
  double alpha = 0.99;      ///< how much of v stays, in [0, 1)
  double eps = 1e-8;        ///< added to the root
  double weight_decay = 0;  ///< the share of p in its gradient
  double momentum = 0;      ///< how much of u stays
  bool centered = false;    ///< not built
};

/// RMSprop: steps by the gradient over the root of its running square.
template <class T = float>
class RMSprop {
 public:
  /// For `size` parameters. Throws std::invalid_argument for an option outside its range.
  explicit RMSprop(Index size, RMSpropOptions options = {}) : options_(options), square_(size), velocity_(size) {
    check_options();
  }

  /// One step over all parameters.
  void step(std::span<T> params, std::span<const T> grad) {
    detail::check_update("eigan::RMSprop", square_.size(), params, grad, 0, square_.size());
    begin_step();
    update(params, grad, 0, square_.size());
  }

  /// A step in parts, as in Adam: disjoint ranges are updated in any order, from any thread.
  void begin_step() { check_options(); }
  /// Updates the parameters [first, first + count) by their gradients.
  void update(std::span<T> params, std::span<const T> grad, Index first, Index count) {
    detail::check_update("eigan::RMSprop", square_.size(), params, grad, first, count);
    if (count == 0) return check_options();
    const detail::RmspropCoefficients<T> coefficients{.lr = static_cast<T>(options_.lr),
                                                      .alpha = static_cast<T>(options_.alpha),
                                                      .rest = static_cast<T>(1 - options_.alpha),
                                                      .eps = static_cast<T>(options_.eps),
                                                      .weight_decay = static_cast<T>(options_.weight_decay),
                                                      .momentum = static_cast<T>(options_.momentum)};
    detail::rmsprop_kernels<T>().rmsprop(count, coefficients, grad.data() + first, square_.data() + first,
                                         velocity_.data() + first, params.data() + first);
  }

  /// They may be changed between steps, as a learning rate's schedule does.
  RMSpropOptions& options() { return options_; }
  const RMSpropOptions& options() const { return options_; }

  /// Names everything that steps change, as torch.optim.RMSprop's state_dict does: for checkpoints (io/checkpoint.hpp).
  template <class Visit>
  void visit_state(Visit&& visit) {
    visit("square_avg", square_);
    visit("momentum_buffer", velocity_);
  }

 private:
  void check_options() const {
    detail::check_setting<T>("eigan::RMSprop", "lr", options_.lr);
    detail::check_share("eigan::RMSprop", "alpha", options_.alpha);
    detail::check_setting<T>("eigan::RMSprop", "eps", options_.eps);
    detail::check_setting<T>("eigan::RMSprop", "weight_decay", options_.weight_decay);
    detail::check_setting<T>("eigan::RMSprop", "momentum", options_.momentum);
    if (options_.centered) detail::fail_contract("eigan::RMSprop: centered is not built");
  }

  RMSpropOptions options_;
  Buffer<T> square_;
  Buffer<T> velocity_;
};

}  // namespace eigan
