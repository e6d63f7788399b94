// CrossEntropy: of softmax(z) against labels or probabilities t, mean over the batch.     z: classes x batch.
//   L = mean_j( -sum_i t_ij log s_ij ),   s = softmax(z)        dz_ij = (s_ij sum_k t_kj - t_ij) / batch
// A label c is the probability 1 of class c; soft_targets (losses/soft_targets.hpp) smooths labels. Finite for every
// finite logit: the largest is taken out of the sum first. Where each of an image's pixels is classified, their number
// is given, and the mean goes over all of them. (torch.nn.CrossEntropyLoss)
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

/// s = softmax(z) over n classes, of which the sum is `weight`; returns log sum e^z and what was taken out of it.
template <class T>
std::pair<T, T> softmax(Index n, const T* z, T* s, T weight) {
  using Column = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, 1>>;
  const T largest = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, 1>>(z, n).maxCoeff();
  T total = 0;
  for (Index i = 0; i < n; ++i) total += s[i] = std::exp(z[i] - largest);
  Column(s, n) *= weight / total;
  return {std::log(total), largest};
}

}  // namespace detail

/// Labels are class numbers, one for each pixel of each column. Returns the loss and assigns dz. Throws
/// std::invalid_argument for a label that is not a class.
template <class T, LabelRange Labels>
T cross_entropy(std::type_identity_t<ConstView<T>> z, const Labels& labels, View<T> dz, Index pixels = 1) {
  detail::check_loss_shapes("cross_entropy", z, dz);
  const Index classes = detail::classes_of<T>(z, pixels);
  const std::span all(std::ranges::data(labels), std::ranges::size(labels));
  if (std::ssize(all) != z.cols() * pixels)
    detail::fail_contract("eigan::cross_entropy: expected ", z.cols() * pixels, " labels, got ", all.size());
  const T scale = T(1) / static_cast<T>(std::ssize(all));
  double sum = 0;
  for (Index j = 0; j < z.cols(); ++j)
    for (Index pixel = 0; pixel < pixels; ++pixel) {
      const Index label = detail::checked_label("cross_entropy", all, j * pixels + pixel, classes, pixels);
      const T* const zj = z.data() + j * z.outerStride() + pixel * classes;
      T* const dzj = dz.data() + j * dz.outerStride() + pixel * classes;
      const auto [log_total, largest] = detail::softmax(classes, zj, dzj, scale);
      sum += static_cast<double>(log_total + largest - zj[label]);
      dzj[label] -= scale;
    }
  return static_cast<T>(sum) * scale;
}

/// Targets are probabilities, of the shape of z; those of a pixel should add up to 1. Returns the loss and assigns dz.
template <class T>
T cross_entropy(std::type_identity_t<ConstView<T>> z, std::type_identity_t<ConstView<T>> target, View<T> dz,
                Index pixels = 1) {
  detail::check_loss_shapes("cross_entropy", z, target);
  detail::check_loss_shapes("cross_entropy", z, dz);
  const Index classes = detail::classes_of<T>(z, pixels);
  const T scale = T(1) / static_cast<T>(z.cols() * pixels);
  double sum = 0;
  for (Index j = 0; j < z.cols(); ++j)
    for (Index pixel = 0; pixel < pixels; ++pixel) {
      const T* const zj = z.data() + j * z.outerStride() + pixel * classes;
      const T* const tj = target.data() + j * target.outerStride() + pixel * classes;
      T* const dzj = dz.data() + j * dz.outerStride() + pixel * classes;
      T whole = 0;
      for (Index i = 0; i < classes; ++i) whole += tj[i];
      const auto [log_total, largest] = detail::softmax(classes, zj, dzj, whole * scale);
      for (Index i = 0; i < classes; ++i) {
        sum = std::fma(static_cast<double>(tj[i]), static_cast<double>(log_total + (largest - zj[i])), sum);
        dzj[i] = std::fma(-scale, tj[i], dzj[i]);
      }
    }
  return static_cast<T>(sum) * scale;
}

}  // namespace eigan
