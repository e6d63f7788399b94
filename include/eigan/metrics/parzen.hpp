// Parzen-window log-likelihood of test images, in nats: an isotropic Gaussian around each generated sample.
//   log p(x) = log mean_i exp(-|x - c_i|^2 / (2 s^2)) - D/2 log(2 pi s^2)     centres c: D x n, images x: D x m
// s is the one of `sigmas` under which the validation images are likeliest on average. Pixels in [0, 1] and the ten
// sigmas from 0.1 to 1 are Goodfellow et al.'s, "Generative Adversarial Nets", 2014. The estimate is crude in 784
// dimensions and rewards samples near the images, blurred or copied: Theis et al. 2016, "A note on the evaluation of
// generative models".
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>
#include <vector>

#include <eigan/core/eigen.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/core/types.hpp>
#include <eigan/core/view.hpp>
#include <eigan/metrics/check_samples.hpp>
#include <eigan/metrics/estimate.hpp>
#include <eigan/metrics/pairwise_distances.hpp>

namespace eigan::detail {

/// sum_i exp((nearest - distances_i) scale), which is at least 1: powers in float vectors, their sum in double.
template <class Distances>
double sum_of_powers(const Distances& distances, float nearest, float scale) {
  constexpr Index part = 256;
  double sum = 0;
  for (Index i = 0; i < distances.size(); i += part) {
    const auto d = distances.segment(i, std::min(part, distances.size() - i));
    // Below e^-80 no term reaches the sum's last bit, and a little further down slow denormals begin.
    sum += static_cast<double>(((nearest - d) * scale).max(-80.0f).exp().sum());
  }
  return sum;
}

}  // namespace eigan::detail

namespace eigan::metrics {

/// The score and the width that it was computed with.
struct ParzenScore {
  double sigma = 0;              ///< the best of those tried
  Estimate log_likelihood = {};  ///< of a test image, in nats
};

/// Ten values from 0.1 to 1, each the same multiple of the one before.
inline std::vector<double> parzen_sigmas() {
  std::vector<double> sigmas;
  for (int i = 0; i < 10; ++i) sigmas.push_back(std::pow(10.0, -1 + i / 9.0));
  return sigmas;
}

/// log p of each image under each sigma: sigmas x m.
inline Matrix<double> parzen_log_likelihoods(ConstView<float> samples, ConstView<float> images,
                                             std::span<const double> sigmas, Threads threads = {}) {
  detail::check_same_features("parzen", "samples", samples, "images", images);
  detail::check_samples("parzen", "samples", samples, 1);
  detail::check_samples("parzen", "images", images, 1);
  const auto centres = static_cast<double>(samples.cols()), pixels = static_cast<double>(samples.rows());
  std::vector<double> scales, constants;  // 1 / (2 s^2), log n + D/2 log(2 pi s^2)
  for (const double sigma : sigmas) {
    if (!(detail::is_finite(sigma) && sigma > 1e-18 && sigma < 1e18))
      detail::fail_contract("eigan::metrics::parzen: expected sigma between 1e-18 and 1e18, got ", sigma);
    const double variance = sigma * sigma;
    scales.push_back(1 / (2 * variance));
    constants.push_back(std::log(centres) + pixels / 2 * std::log(2 * std::numbers::pi * variance));
  }
  Matrix<double> result(std::ssize(sigmas), images.cols());
  detail::for_each_distance_tile(samples, images, threads, [&](Index first, View<float> tile) {
    for (Index j = 0; j < tile.cols(); ++j) {
      const auto distances = tile.col(j).array();
      // Every sum begins with its largest term, which the nearest centre has under every sigma.
      const float nearest = distances.minCoeff();
      for (std::size_t s = 0; s < scales.size(); ++s) {
        const double sum = detail::sum_of_powers(distances, nearest, static_cast<float>(scales[s]));
        result(static_cast<Index>(s), first + j) =
            std::log(sum) - static_cast<double>(nearest) * scales[s] - constants[s];
      }
    }
  });
  return result;
}

/// Chooses sigma on the validation images and scores the test images, of which there are at least two.
inline ParzenScore parzen(ConstView<float> samples, ConstView<float> validation, ConstView<float> test,
                          std::span<const double> sigmas, Threads threads = {}) {
  if (sigmas.empty()) detail::fail_contract("eigan::metrics::parzen: expected at least 1 sigma, got 0");
  Index best = 0;
  parzen_log_likelihoods(samples, validation, sigmas, threads).rowwise().mean().maxCoeff(&best);
  const double sigma = sigmas[static_cast<std::size_t>(best)];
  const Matrix<double> scores = parzen_log_likelihoods(samples, test, {&sigma, 1}, threads);
  return {sigma, estimate({scores.data(), static_cast<std::size_t>(scores.size())})};
}
inline ParzenScore parzen(ConstView<float> samples, ConstView<float> validation, ConstView<float> test,
                          Threads threads = {}) {
  return parzen(samples, validation, test, parzen_sigmas(), threads);
}

}  // namespace eigan::metrics
