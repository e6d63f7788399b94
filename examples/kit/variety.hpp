// Variety: how much generated images differ from each other, beside how much real ones do. A generator that has
// collapsed draws the same for every z, be it a perfect picture or plain black; its losses need not show that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <eigan/core/view.hpp>

namespace kit {

using eigan::Index;

/// Below this share of the real images' a generator counts as collapsed. Trained ones have 0.7 and more.
inline constexpr double collapsed_below = 0.05;
/// Before so many steps a generator may draw much the same for every z because it has not learnt better yet.
inline constexpr Index settled_steps = 500;

/// The mean over pixels of the variance within images of one kind. images: pixels x n; `labels` says of which kind each
/// one is, or is empty where they are of one.
inline double variance(eigan::ConstView<float> images, std::span<const std::uint8_t> labels = {}) {
  const Index kinds = labels.empty() ? 1 : 256;
  eigan::Matrix<double> means = eigan::Matrix<double>::Zero(images.rows(), kinds);
  std::vector<double> counts(static_cast<std::size_t>(kinds));
  const auto kind = [&](Index j) -> Index { return labels.empty() ? 0 : labels[static_cast<std::size_t>(j)]; };
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

}  // namespace kit
