// BatchNorm1d: each feature is centred and scaled by its mean and variance over the batch (Ioffe and Szegedy 2015).
//   y = gamma x^ + beta,    x^ = (x - mean) / sqrt(var + eps)        x, y: features x batch;  all else per feature
// Backward:  dgamma += sum dy x^,   dbeta += sum dy,   dx = gamma / sqrt(var + eps) (dy - mean(dy) - x^ mean(dy x^)).
// At inference mean and var are constants, kept behind gamma and beta in the parameters as PyTorch names them:
// running_mean, running_var. Training leaves them alone; estimate_statistics (net/estimate_statistics.hpp) writes them,
// from as many samples as one likes, for the weights as they are (Wu and Johnson 2021, "precise" batch normalisation).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/exact_text.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/layer.hpp>
#include <eigan/kernels/rows.hpp>

namespace eigan {

/// Batch normalisation. `BatchNorm1d<256>`, or `BatchNorm1d<>(256)` with the number of features given at run time.
template <Index Features = dynamic>
class BatchNorm1d {
  static_assert(Features > 0 || Features == dynamic, "eigan::BatchNorm1d: features are positive or dynamic");

 public:
  static constexpr Index input = Features;
  static constexpr Index output = Features;
  static constexpr bool backward_reads_y = false;

  /// The features that the type states, eps 1e-5.
  constexpr BatchNorm1d() requires(Features != dynamic) : features_(Features) {}
  /// Throws std::invalid_argument unless 0 < features < 2^31, as the type says where it does, and eps > 0.
  explicit BatchNorm1d(Index features, double eps = 1e-5) : features_(features), eps_(eps) {
    // An Index of 32 bits ends sooner.
    constexpr Index most =
        std::min<std::int64_t>(std::numeric_limits<std::int32_t>::max(), std::numeric_limits<Index>::max() / 4);
    if (features_ <= 0 || features_ > most || (Features != dynamic && Features != features_))
      detail::fail_contract("eigan::BatchNorm1d<", Features, ">: cannot have ", features_, " features");
    if (!(detail::is_finite(eps_) && eps_ > 0)) detail::fail_contract("eigan::BatchNorm1d: eps must be > 0, is ", eps_);
  }

  Index input_size() const { return features_; }
  Index output_size() const { return features_; }
  /// What is added to the variance.
  double eps() const { return eps_; }
  Index param_size() const { return 4 * features_; }
  /// What an optimiser changes: gamma and beta.
  Index trained_size() const { return 2 * features_; }
  std::string describe() const {
    return detail::concat("BatchNorm1d(num_features=", features_, ", eps=", exact_text(eps_), ")");
  }
  std::vector<Parameter> parameters() const {
    return {{"weight", 0, features_, 1, 1},
            {"bias", features_, features_, 1, 1},
            {"running_mean", 2 * features_, features_, 1, 1},
            {"running_var", 3 * features_, features_, 1, 1}};
  }

  template <class T>
  void init(std::span<T> p, Rng) const {
    const auto fill = [&](Index tensor, T value) { std::fill_n(p.data() + tensor * features_, features_, value); };
    fill(0, T(1)), fill(1, T(0)), fill(2, T(0)), fill(3, T(1));
  }

  /// Writes the mean and the variance over x's samples (divided by their number less one, as PyTorch keeps it).
  template <class T>
  void set_statistics(std::span<T> p, ConstView<T> x) const {
    T* const mean = p.data() + 2 * features_;
    T* const variance = mean + features_;
    detail::row_kernels<T>().row_moments(features_, x.cols(), strided(x, 0), mean, variance);
    const T unbiased = static_cast<T>(x.cols()) / static_cast<T>(std::max<Index>(x.cols() - 1, 1));
    for (Index i = 0; i < features_; ++i) variance[i] *= unbiased;
  }

  // Inference: an affine map of each feature.

  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    for (Index part = 0; part < part_count(); ++part) {
      Coefficients<T> scale, shift;
      inference_coefficients(p, part, scale, shift);
      detail::row_kernels<T>().scale_rows(rows(part), x.cols(), strided(x, first(part)), scale.data(), shift.data(),
                                          strided(y, first(part)));
    }
  }
  template <class T>
  void backward_input(std::span<const T> p, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    const Coefficients<T> zero{};
    for (Index part = 0; part < part_count(); ++part) {
      Coefficients<T> scale, shift;
      inference_coefficients(p, part, scale, shift);
      detail::row_kernels<T>().scale_rows(rows(part), dy.cols(), strided(dy, first(part)), scale.data(), zero.data(),
                                          strided(dx, first(part)));
    }
  }

  // Training, over the whole batch, in parts of consecutive features.

  Index part_count() const { return (features_ + part_rows - 1) / part_rows; }

  template <class T>
  void forward_part(std::span<const T> p, ConstView<T> x, View<T> y, Index part) const {
    const Index f = first(part), n = rows(part);
    const Batch<T> batch = moments(x, part);
    Coefficients<T> scale, shift;
    for (Index i = 0; i < n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      scale[at] = p[static_cast<std::size_t>(f + i)] * batch.inv_std[at];
      shift[at] = std::fma(-batch.mean[at], scale[at], p[static_cast<std::size_t>(features_ + f + i)]);
    }
    detail::row_kernels<T>().scale_rows(n, x.cols(), strided(x, f), scale.data(), shift.data(), strided(y, f));
  }

  template <class T>
  void backward_input_part(std::span<const T> p, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx,
                           Index part) const {
    const Index f = first(part), n = rows(part);
    const Batch<T> batch = moments(x, part);
    Coefficients<T> sum{}, product{}, of_dy, of_x, constant;
    detail::row_kernels<T>().add_row_products(n, x.cols(), strided(x, f), batch.mean.data(), strided(dy, f), sum.data(),
                                              product.data());
    const T share = T(1) / static_cast<T>(x.cols());
    for (Index i = 0; i < n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      // dx = of_dy (dy - mean(dy) - (x - mean) mean(dy (x - mean)) / (var + eps))
      of_dy[at] = p[static_cast<std::size_t>(f + i)] * batch.inv_std[at];
      of_x[at] = -of_dy[at] * (product[at] * share) * (batch.inv_std[at] * batch.inv_std[at]);
      constant[at] = std::fma(-of_x[at], batch.mean[at], -of_dy[at] * (sum[at] * share));
    }
    detail::row_kernels<T>().combine_rows(n, x.cols(), strided(dy, f), of_dy.data(), strided(x, f), of_x.data(),
                                          constant.data(), strided(dx, f));
  }

  template <class T>
  void backward_params(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp) const {
    for (Index part = 0; part < part_count(); ++part) {
      const Index f = first(part), n = rows(part);
      const Batch<T> batch = moments(x, part);
      Coefficients<T> product{};
      detail::row_kernels<T>().add_row_products(n, x.cols(), strided(x, f), batch.mean.data(), strided(dy, f),
                                                dp.data() + features_ + f, product.data());
      for (Index i = 0; i < n; ++i) {
        const auto at = static_cast<std::size_t>(i);
        T& dgamma = dp[static_cast<std::size_t>(f + i)];
        dgamma = std::fma(product[at], batch.inv_std[at], dgamma);
      }
    }
  }

 private:
  /// As many as fit on the stack and give threads something to share.
  static constexpr Index part_rows = 64;
  template <class T>
  using Coefficients = std::array<T, part_rows>;
  template <class T>
  struct Batch {
    Coefficients<T> mean, inv_std;
  };

  static Index first(Index part) { return part * part_rows; }
  Index rows(Index part) const { return std::min(part_rows, features_ - first(part)); }
  template <class T>
  static detail::Strided<const T> strided(const ConstView<T>& m, Index row) {
    return {m.data() + row, 1, m.outerStride()};
  }
  template <class T>
  static detail::Strided<T> strided(View<T> m, Index row) {
    return {m.data() + row, 1, m.outerStride()};
  }

  // Computed anew by each function that needs it: two reads of x cost less than a place to keep it would.
  template <class T>
  Batch<T> moments(const ConstView<T>& x, Index part) const {
    Batch<T> batch;
    detail::row_kernels<T>().row_moments(rows(part), x.cols(), strided(x, first(part)), batch.mean.data(),
                                         batch.inv_std.data());
    for (Index i = 0; i < rows(part); ++i) {
      T& v = batch.inv_std[static_cast<std::size_t>(i)];
      v = T(1) / std::sqrt(v + static_cast<T>(eps_));
    }
    return batch;
  }

  template <class T>
  void inference_coefficients(std::span<const T> p, Index part, Coefficients<T>& scale, Coefficients<T>& shift) const {
    for (Index i = 0; i < rows(part); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const T* const q = p.data() + first(part) + i;
      scale[at] = q[0] / std::sqrt(q[3 * features_] + static_cast<T>(eps_));
      shift[at] = std::fma(-q[2 * features_], scale[at], q[features_]);
    }
  }

  Index features_;
  double eps_ = 1e-5;
};

static_assert(BatchCoupledLayer<BatchNorm1d<3>> && BatchCoupledLayer<BatchNorm1d<3>, double>);

}  // namespace eigan
