// QMNIST: MNIST put together again from its source, with all 60000 test images (Yadav and Bottou 2019). Its labels are
// rows of eight 32-bit integers, of which the first is the digit.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <eigan/data/labelled_images.hpp>
#include <eigan/data/load_idx.hpp>
#include <eigan/data/mnist.hpp>

namespace eigan {

/// Reads one part of QMNIST from a folder: qmnist-train-images-idx3-ubyte and qmnist-train-labels-idx2-int
/// (qmnist-test- for the test part), plain or .gz. Throws Error as load_mnist does.
inline LabelledImages load_qmnist(const std::filesystem::path& folder, Split split) {
  const std::string part = split == Split::train ? "qmnist-train" : "qmnist-test";
  const std::string hint =
      detail::concat("; scripts/fetch-mnist --set qmnist ", detail::display(folder), " gets QMNIST");
  const auto images = detail::find_image_file(folder, part + "-images", {"-idx3-ubyte"}, {""}, hint);
  const auto labels = detail::find_image_file(folder, part + "-labels", {"-idx2-int"}, {""}, hint);
  FileSource file(labels);
  GunzipSource bytes(file);
  const std::vector<std::int32_t> digits = read_idx_first_integers(bytes);
  return detail::join_labels(load_idx_images(images), images, digits, labels, 0, 9);
}

}  // namespace eigan
