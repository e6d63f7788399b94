// MNIST and Fashion-MNIST: 28x28 images in ten classes, from the four IDX files that both publish under the same names.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <eigan/core/error.hpp>
#include <eigan/data/labelled_images.hpp>
#include <eigan/data/load_idx.hpp>
#include <eigan/io/file_descriptor.hpp>

namespace eigan {

/// Which part of a data set: MNIST has 60000 images to train on and 10000 to test on.
enum class Split {
  train,  ///< files train-*
  test    ///< files t10k-*
};

namespace detail {

/// The file for `stem` ("train-images") and `kind` ("idx3-ubyte") under any of the names in circulation.
inline std::filesystem::path find_mnist_file(const std::filesystem::path& folder, const std::string& stem,
                                             const std::string& kind) {
  const std::string name = display(folder);
  const std::string hint = concat("; scripts/fetch-mnist ", name, " gets MNIST");
  std::error_code ignored;
  if (!std::filesystem::exists(folder, ignored)) fail_data(name, ": no such folder", hint);
  if (!std::filesystem::is_directory(folder, ignored)) {
    fail_data(name, ": a file, expected the folder of the four MNIST files", hint);
  }
  for (const char* separator : {"-", "."}) {
    for (const char* ending : {"", ".gz"}) {
      auto path = folder / concat(stem, separator, kind, ending);
      if (std::filesystem::exists(path, ignored)) return path;
    }
  }
  fail_data(name, ": no ", stem, "-", kind, " (nor ", stem, ".", kind, ", nor either with .gz)", hint);
}

}  // namespace detail

/// Reads one part of MNIST, or of Fashion-MNIST, from a folder. The files may be plain or gzip, and be named
/// train-images-idx3-ubyte or train-images.idx3-ubyte, with or without .gz (t10k- for the test part).
/// Throws Error when a file is missing or damaged, the images are not 28x28, their number is not that of the labels,
/// or a label is above 9.
inline LabelledImages load_mnist(const std::filesystem::path& folder, Split split) {
  const std::string part = split == Split::train ? "train" : "t10k";
  const auto images_path = detail::find_mnist_file(folder, part + "-images", "idx3-ubyte");
  const auto labels_path = detail::find_mnist_file(folder, part + "-labels", "idx1-ubyte");
  auto images = load_idx_images(images_path);
  auto labels = load_idx_labels(labels_path);
  const std::string images_name = detail::display(images_path);
  const std::string labels_name = detail::display(labels_path);
  if (images.rows != 28 || images.cols != 28) {
    detail::fail_data(images_name, ": images of ", images.rows, "x", images.cols, ", expected 28x28");
  }
  if (static_cast<std::size_t>(images.count) != labels.size()) {
    detail::fail_data(labels_name, ": ", labels.size(), " labels, expected ", images.count, ", one for each image of ",
                      images_name);
  }
  const auto wrong = std::find_if(labels.begin(), labels.end(), [](auto label) { return label > 9; });
  if (wrong != labels.end()) {
    detail::fail_data(labels_name, ": label ", int{*wrong}, " of image ", wrong - labels.begin(), ", expected 0 to 9");
  }
  return {images.rows, images.cols, images.count, std::move(images.pixels), std::move(labels)};
}

}  // namespace eigan
