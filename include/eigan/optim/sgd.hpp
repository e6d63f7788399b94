// SGD with momentum, with the semantics of torch.optim.SGD (dampening 0):
//   g += weight_decay p          v = momentum v + g          p -= lr v,  or  p -= lr (g + momentum v) with Nesterov's
#pragma once

#include <cmath>
#include <span>

#include <eigan/core/buffer.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/view.hpp>
#include <eigan/optim/check_update.hpp>

namespace eigan {

/// Names and values as in torch.optim.SGD.
struct SGDOptions {
  double lr = 1e-2;         ///< the learning rate, >= 0 and finite, as all that follow
  double momentum = 0;      ///< how much of v stays
  double weight_decay = 0;  ///< the share of p in its gradient
  bool nesterov = false;    ///< look ahead; needs momentum
};

/// Gradient descent with momentum: v = momentum v + g, p -= lr v.
template <class T = float>
class SGD {
 public:
  /// For `size` parameters. Throws std::invalid_argument for an option outside its range.
  explicit SGD(Index size, SGDOptions options = {}) : options_(options), velocity_(size) { check_options(); }

  /// One step over all parameters.
  void step(std::span<T> params, std::span<const T> grad) {
    detail::check_update("eigan::SGD", velocity_.size(), params, grad, 0, velocity_.size());
    begin_step();
    update(params, grad, 0, velocity_.size());
  }

  /// A step in parts, as in Adam: disjoint ranges are updated in any order, from any thread.
  void begin_step() { check_options(); }
  /// Updates the parameters [first, first + count) by their gradients.
  void update(std::span<T> params, std::span<const T> grad, Index first, Index count) {
    detail::check_update("eigan::SGD", velocity_.size(), params, grad, first, count);
    if (count == 0) return check_options();
    const T lr = static_cast<T>(options_.lr), momentum = static_cast<T>(options_.momentum);
    const T decay = static_cast<T>(options_.weight_decay);
    T* p = params.data() + first;
    T* v = velocity_.data() + first;
    const T* g = grad.data() + first;
    for (Index i = 0; i < count; ++i) {
      // fma, so that the result does not depend on the compiler's flags.
      const T gi = std::fma(decay, p[i], g[i]);
      v[i] = std::fma(momentum, v[i], gi);
      p[i] = std::fma(-lr, options_.nesterov ? std::fma(momentum, v[i], gi) : v[i], p[i]);
    }
  }

  /// They may be changed between steps, as a learning rate's schedule does.
  SGDOptions& options() { return options_; }
  const SGDOptions& options() const { return options_; }

  /// Names everything that steps change, as torch.optim.SGD's state_dict does: for checkpoints (io/checkpoint.hpp).
  template <class Visit>
  void visit_state(Visit&& visit) {
    visit("momentum_buffer", velocity_);
  }

 private:
  void check_options() const {
    detail::check_setting<T>("eigan::SGD", "lr", options_.lr);
    detail::check_setting<T>("eigan::SGD", "momentum", options_.momentum);
    detail::check_setting<T>("eigan::SGD", "weight_decay", options_.weight_decay);
    if (options_.nesterov && options_.momentum == 0) detail::fail_contract("eigan::SGD: nesterov needs momentum > 0");
  }

  SGDOptions options_;
  Buffer<T> velocity_;
};

}  // namespace eigan
