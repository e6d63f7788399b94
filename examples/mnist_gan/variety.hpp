// Variety: how much digits differ from each other, beside how much real ones do. A generator that has collapsed draws
// the same for every z, be it a perfect 1 or plain black; its losses need not show that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <eigan/core/view.hpp>

namespace mnist_gan {

using eigan::Index;

/// Below this share of the real images' a generator counts as collapsed. Trained ones have 0.7 and more.
inline constexpr double collapsed_below = 0.05;
/// Before so many steps a generator may draw much the same for every z because it has not learnt better yet.
inline constexpr Index settled_steps = 500;

/// The mean over pixels of the variance within images of one digit. images: pixels x n; `digits` says which digit each
/// one shows, or is empty where they count as of one kind.
inline double variance(eigan::ConstView<float> images, std::span<const std::uint8_t> digits = {}) {
  const Index kinds = digits.empty() ? 1 : 256;
  eigan::Matrix<double> means = eigan::Matrix<double>::Zero(images.rows(), kinds);
  std::vector<double> counts(static_cast<std::size_t>(kinds));
  const auto kind = [&](Index j) -> Index { return digits.empty() ? 0 : digits[static_cast<std::size_t>(j)]; };
  for (Index j = 0; j < images.cols(); ++j) {
    means.col(kind(j)) += images.col(j).cast<double>();
    ++counts[static_cast<std::size_t>(kind(j))];
  }
  for (Index k = 0; k < kinds; ++k)
    if (counts[static_cast<std::size_t>(k)] > 0) means.col(k) /= counts[static_cast<std::size_t>(k)];
  double sum = 0;
  for (Index j = 0; j < images.cols(); ++j) sum += (images.col(j).cast<double>() - means.col(kind(j))).squaredNorm();
  return images.size() > 0 ? sum / static_cast<double>(images.size()) : 0;
}

}  // namespace mnist_gan
