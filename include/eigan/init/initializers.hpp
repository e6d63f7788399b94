// How weights start, by the formulas of torch.nn.init, where he_uniform and he_normal are kaiming_uniform_ and
// kaiming_normal_; w is out x in, so fan_in = cols, fan_out = rows.
//
// He's gain is sqrt 2 for ReLU and sqrt(2 / (1 + slope^2)) for leaky ReLU (Glorot and Bengio 2010; He et al. 2015).
#pragma once

#include <cmath>

#include <eigan/core/random.hpp>
#include <eigan/core/rng.hpp>
#include <eigan/core/view.hpp>

namespace eigan::init {

/// The gain that keeps the variance through a leaky ReLU; slope 0 is ReLU.
inline double leaky_relu_gain(double negative_slope = 0) {
  return std::sqrt(2 / (1 + negative_slope * negative_slope));
}

/// U[-a, a) with a = gain sqrt(6 / (fan_in + fan_out)).
template <class T>
void xavier_uniform(View<T> w, Rng rng, double gain = 1) {
  const double a = gain * std::sqrt(6 / static_cast<double>(w.rows() + w.cols()));
  fill_uniform(w, -a, a, rng);
}
/// N(0, gain^2 2 / (fan_in + fan_out)).
template <class T>
void xavier_normal(View<T> w, Rng rng, double gain = 1) {
  fill_normal(w, 0, gain * std::sqrt(2 / static_cast<double>(w.rows() + w.cols())), rng);
}
/// U[-a, a) with a = gain sqrt(3 / fan_in).
template <class T>
void he_uniform(View<T> w, Rng rng, double gain = leaky_relu_gain()) {
  const double a = gain * std::sqrt(3 / static_cast<double>(w.cols()));
  fill_uniform(w, -a, a, rng);
}
/// N(0, gain^2 / fan_in).
template <class T>
void he_normal(View<T> w, Rng rng, double gain = leaky_relu_gain()) {
  fill_normal(w, 0, gain / std::sqrt(static_cast<double>(w.cols())), rng);
}

/// torch.nn.Linear's own start: kaiming_uniform_ with a = sqrt 5 makes the weight uniform in +-1/sqrt(fan_in), and
/// the bias has the same range.
template <class T>
void linear_default(View<T> w, View<T> b, Rng rng) {
  const double a = 1 / std::sqrt(static_cast<double>(w.cols()));
  fill_uniform(w, -a, a, rng.fold_in(0));
  fill_uniform(b, -a, a, rng.fold_in(1));
}

}  // namespace eigan::init
