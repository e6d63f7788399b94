// LabelledImages: a data set of grey images of one size, each with a class label, in memory,
// and how a batch of it becomes the columns of a matrix.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/core/types.hpp>
#include <eigan/core/view.hpp>
#include <eigan/kernels/elementwise.hpp>

namespace eigan {

/// The images and their labels.
struct LabelledImages {
  Index rows = 0;                    ///< of an image
  Index cols = 0;                    ///< of an image
  Index count = 0;                   ///< images
  std::vector<std::uint8_t> pixels;  ///< count x rows x cols, one image contiguous and row-major, 0 to 255
  std::vector<std::uint8_t> labels;  ///< count

  /// Pixels of one image: the features of one sample.
  Index features() const { return rows * cols; }
};

namespace detail {
/// Room for the images `indices`, one a column.
template <class T>
void check_columns(const char* function, const LabelledImages& images, std::span<const std::uint32_t> indices,
                   const View<T>& out) {
  if (out.rows() != images.features() || out.cols() != static_cast<Index>(indices.size()))
    fail_contract(function, ": out is ", out.rows(), " x ", out.cols(), ", expected ", images.features(), " x ",
                  indices.size());
}
inline void check_batch(const LabelledImages& images, std::span<const std::uint32_t> indices) {
  for (const auto index : indices) {
    if (std::cmp_greater_equal(index, images.count)) fail_contract("image ", index, " of a data set of ", images.count);
  }
}
/// convert(column, its pixels). In a pass over these columns alone, on as many threads, who converts a column mostly
/// reads it first.
template <class Convert>
void convert_columns(const LabelledImages& images, std::span<const std::uint32_t> indices, Threads threads,
                     const Convert& convert) {
  const Index features = images.features(), count = std::ssize(indices);
  const auto pixels_of = [&](Index column) {
    return images.pixels.data() + static_cast<Index>(indices[static_cast<std::size_t>(column)]) * features;
  };
  constexpr double operations = 16;  // in the time that a pixel takes to come from memory
  parallel_ranges(count, operations * static_cast<double>(count * features), threads, [&](Index first, Index last) {
    for (Index column = first; column < last; ++column) {
      // Asks for the image two columns later: shuffled images lie anywhere, and no processor guesses where.
      if (column + 2 < last)
        for (Index i = 0; i < features; i += 64) __builtin_prefetch(pixels_of(column + 2) + i);
      convert(column, pixels_of(column));
    }
  });
}
}  // namespace detail

/// out = x / 127.5 - 1: the pixels 0 to 255 of the images `indices`, in [-1, 1], one image a column.
/// `out` is rows * cols of an image x indices.size().
template <class T>
void pixels_to_unit(const LabelledImages& images, std::span<const std::uint32_t> indices, View<T> out,
                    Threads threads = {}) {
  const Index features = images.features();
  detail::check_columns("pixels_to_unit", images, indices, out);
  detail::check_batch(images, indices);
  detail::convert_columns(images, indices, threads, [&](Index column, const std::uint8_t* pixels) {
    detail::kernels<detail::PixelKernels<T>>().convert(features, pixels, out.data() + column * out.outerStride());
  });
}

/// out = x / 255: the pixels in [0, 1], as torchvision's ToTensor has them.
template <class T>
void pixels_to_zero_one(const LabelledImages& images, std::span<const std::uint32_t> indices, View<T> out,
                        Threads threads = {}) {
  detail::check_columns("pixels_to_zero_one", images, indices, out);
  detail::check_batch(images, indices);
  detail::convert_columns(images, indices, threads, [&](Index column, const std::uint8_t* pixels) {
    for (Index i = 0; i < out.rows(); ++i) out(i, column) = static_cast<T>(pixels[i]) / T(255);
  });
}

/// The labels of the images `indices`, into `out` of the same length.
inline void gather_labels(const LabelledImages& images, std::span<const std::uint32_t> indices, std::span<int> out) {
  if (out.size() != indices.size()) {
    detail::fail_contract("gather_labels: room for ", out.size(), " labels, expected ", indices.size());
  }
  detail::check_batch(images, indices);
  for (std::size_t i = 0; i < indices.size(); ++i) out[i] = images.labels[indices[i]];
}

}  // namespace eigan
