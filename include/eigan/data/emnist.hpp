// EMNIST: letters and digits as MNIST has digits, 28x28, in six splits of their own names, labels and sizes (Cohen,
// Afshar, Tapson, van Schaik 2017). Its files hold each image transposed; here it is upright, as MNIST's are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <eigan/core/error.hpp>
#include <eigan/data/labelled_images.hpp>
#include <eigan/data/load_idx.hpp>
#include <eigan/data/mnist.hpp>

namespace eigan {
namespace detail {

/// The labels of a split of EMNIST, from the first to the last; Error for a name that is none of its splits.
inline std::pair<int, int> emnist_labels(std::string_view split) {
  constexpr std::pair<std::string_view, std::pair<int, int>> splits[] = {{"digits", {0, 9}},   {"mnist", {0, 9}},
                                                                         {"letters", {1, 26}}, {"balanced", {0, 46}},
                                                                         {"bymerge", {0, 46}}, {"byclass", {0, 61}}};
  for (const auto& [name, labels] : splits)
    if (name == split) return labels;
  fail_contract("eigan::load_emnist: expected digits, mnist, letters, balanced, bymerge or byclass, got ", split);
}

}  // namespace detail

/// Exchanges rows and columns of square images of so many pixels a side, one after the other.
inline void transpose_images(std::span<std::uint8_t> pixels, Index side) {
  const auto n = static_cast<std::size_t>(side);
  for (std::size_t image = 0; image + n * n <= pixels.size(); image += n * n)
    for (std::size_t row = 0; row < n; ++row)
      for (std::size_t col = 0; col < row; ++col)
        std::swap(pixels[image + row * n + col], pixels[image + col * n + row]);
}

/// Reads one part of a split of EMNIST, "digits", "mnist", "letters", "balanced", "bymerge" or "byclass", from a folder
/// or the folder `gzip` in it, as the archive has it: emnist-letters-train-images-idx3-ubyte and so on, plain or .gz.
/// Labels count from 0: those of letters, which files count from 1, are 0 for a to 25 for z. Throws Error as load_mnist
/// does.
inline LabelledImages load_emnist(const std::filesystem::path& folder, const std::string& name, Split split) {
  const auto [least, most] = detail::emnist_labels(name);
  const std::string stem = "emnist-" + name + (split == Split::train ? "-train" : "-test");
  const std::string hint =
      detail::concat("; scripts/fetch-mnist --set emnist ", detail::display(folder), " gets EMNIST");
  const auto images = detail::find_image_file(folder, stem + "-images", {"-idx3-ubyte"}, {"", "gzip"}, hint);
  const auto labels = detail::find_image_file(folder, stem + "-labels", {"-idx1-ubyte"}, {"", "gzip"}, hint);
  auto all = detail::join_labels(load_idx_images(images), images, load_idx_labels(labels), labels, least, most);
  transpose_images(all.pixels, all.rows);
  return all;
}

}  // namespace eigan
