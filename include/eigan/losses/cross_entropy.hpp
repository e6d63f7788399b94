// CrossEntropy: of softmax(z) against labels or probabilities t, mean over the batch.     z: classes x batch.
//   L = mean_j( -sum_i t_ij log s_ij ),   s = softmax(z)        dz_ij = (s_ij sum_k t_kj - t_ij) / batch
// A label c is the probability 1 of class c; soft_targets (losses/soft_targets.hpp) smooths labels. Finite for every
// finite logit: the largest is taken out of the sum first. A logit of -infinity rules a class out. Where each of an
// image's pixels is classified, their number is given, and the mean goes over all of them. (torch.nn.CrossEntropyLoss)
#pragma once

#include <cmath>
#include <type_traits>
#include <utility>

#include <eigan/losses/label_range.hpp>
#include <eigan/losses/loss.hpp>

namespace eigan {
namespace detail {

/// The classes of z, of which each column has `pixels` times as many.
template <class T>
Index classes_of(const ConstView<T>& z, Index pixels) {
  if (pixels < 1 || z.rows() % pixels != 0)
    fail_contract("eigan::cross_entropy: ", z.rows(), " logits are not those of ", pixels, " pixels");
  return z.rows() / pixels;
}

/// a - b, and 0 where both are the same infinity: the largest logit less itself.
template <class T>
T logit_distance(T a, T b) {
  return a == b ? T(0) : a - b;
}

/// s = softmax(z) over n classes, of which the sum is `weight`, unless s is null; returns log sum e^z and what was
/// taken out of it.
template <class T>
std::pair<T, T> softmax(Index n, const T* z, T* s, T weight) {
  using Column = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, 1>>;
  const T largest = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, 1>>(z, n).maxCoeff();
  T total = 0;
  if (s == nullptr) {
    for (Index i = 0; i < n; ++i) total += std::exp(logit_distance(z[i], largest));
  } else {
    for (Index i = 0; i < n; ++i) total += s[i] = std::exp(logit_distance(z[i], largest));
    Column(s, n) *= weight / total;
  }
  return {std::log(total), largest};
}

/// Where the gradient of a pixel's logits begins; null where nobody wants it.
template <class T>
T* logits_of(View<T> dz, Index j, Index first) {
  return dz.data() + j * dz.outerStride() + first;
}
template <class T>
T* logits_of(NoGradient, Index, Index) {
  return nullptr;
}

template <class T, LabelRange Labels, class Gradient>
T cross_entropy(const ConstView<T>& z, const Labels& labels, Gradient dz, Index pixels,
                const SampleWeights<T>& weights) {
  check_loss_shapes("cross_entropy", z, dz);
  const Index classes = classes_of<T>(z, pixels);
  const std::span all(std::ranges::data(labels), std::ranges::size(labels));
  if (std::ssize(all) != z.cols() * pixels)
    fail_contract("eigan::cross_entropy: expected ", z.cols() * pixels, " labels, got ", all.size());
  const LossMean<T> mean("cross_entropy", z.cols(), pixels, weights);
  double sum = 0;
  for (Index j = 0; j < z.cols(); ++j)
    for (Index pixel = 0; pixel < pixels; ++pixel) {
      const Index label = checked_label("cross_entropy", all, j * pixels + pixel, classes, pixels);
      const T* const zj = z.data() + j * z.outerStride() + pixel * classes;
      T* const dzj = logits_of<T>(dz, j, pixel * classes);
      const T share = mean.share(j);
      const auto [log_total, largest] = softmax(classes, zj, dzj, share);
      const T loss =
          std::isinf(largest) ? log_total + logit_distance(largest, zj[label]) : log_total + largest - zj[label];
      sum = std::fma(mean.weight(j), static_cast<double>(loss), sum);
      if (dzj != nullptr) dzj[label] -= share;
    }
  return mean.of(sum);
}

template <class T, class Gradient>
T cross_entropy(const ConstView<T>& z, const ConstView<T>& target, Gradient dz, Index pixels,
                const SampleWeights<T>& weights) {
  check_loss_shapes("cross_entropy", z, target);
  check_loss_shapes("cross_entropy", z, dz);
  const Index classes = classes_of<T>(z, pixels);
  const LossMean<T> mean("cross_entropy", z.cols(), pixels, weights);
  double sum = 0;
  for (Index j = 0; j < z.cols(); ++j)
    for (Index pixel = 0; pixel < pixels; ++pixel) {
      const T* const zj = z.data() + j * z.outerStride() + pixel * classes;
      const T* const tj = target.data() + j * target.outerStride() + pixel * classes;
      T* const dzj = logits_of<T>(dz, j, pixel * classes);
      const T share = mean.share(j);
      T whole = 0;
      for (Index i = 0; i < classes; ++i) whole += tj[i];
      const auto [log_total, largest] = softmax(classes, zj, dzj, whole * share);
      for (Index i = 0; i < classes; ++i) {
        if (tj[i] != T(0))  // else 0 times what may be infinite
          sum = std::fma(mean.weight(j) * static_cast<double>(tj[i]),
                         static_cast<double>(log_total + logit_distance(largest, zj[i])), sum);
        if (dzj != nullptr) dzj[i] = std::fma(-share, tj[i], dzj[i]);
      }
    }
  return mean.of(sum);
}

}  // namespace detail

/// Labels are class numbers, one for each pixel of each column. Returns the loss and assigns dz. Throws
/// std::invalid_argument for a label that is not a class.
template <class T, LabelRange Labels>
T cross_entropy(std::type_identity_t<ConstView<T>> z, const Labels& labels, View<T> dz, Index pixels = 1,
                std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::cross_entropy<T>(z, labels, dz, pixels, weights);
}
/// The loss alone.
template <class T, LabelRange Labels>
T cross_entropy(std::type_identity_t<ConstView<T>> z, const Labels& labels, Index pixels = 1,
                std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::cross_entropy<T>(z, labels, detail::NoGradient{}, pixels, weights);
}

/// Targets are probabilities, of the shape of z; those of a pixel should add up to 1. Returns the loss and assigns dz.
template <class T>
T cross_entropy(std::type_identity_t<ConstView<T>> z, std::type_identity_t<ConstView<T>> target, View<T> dz,
                Index pixels = 1, std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::cross_entropy<T>(z, target, dz, pixels, weights);
}
/// The loss alone.
template <class T>
T cross_entropy(std::type_identity_t<ConstView<T>> z, std::type_identity_t<ConstView<T>> target, Index pixels = 1,
                std::type_identity_t<SampleWeights<T>> weights = {}) {
  return detail::cross_entropy<T>(z, target, detail::NoGradient{}, pixels, weights);
}

}  // namespace eigan
