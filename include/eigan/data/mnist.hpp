// MNIST, Fashion-MNIST and KMNIST: 28x28 images in ten classes, from the four IDX files that all of them publish under
// the same names. (LeCun et al. 1998; Xiao et al. 2017; Clanuwat et al. 2018)
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

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

/// The file `stem` + one of `kinds`, each with or without .gz, in a folder or in one of the folders `below` it.
inline std::filesystem::path find_image_file(const std::filesystem::path& folder, const std::string& stem,
                                             std::initializer_list<const char*> kinds,
                                             std::initializer_list<const char*> below, const std::string& hint) {
  const std::string name = display(folder);
  std::error_code ignored;
  if (!std::filesystem::exists(folder, ignored)) fail_data(name, ": no such folder", hint);
  if (!std::filesystem::is_directory(folder, ignored))
    fail_data(name, ": a file, expected the folder of the data set's files", hint);
  std::string tried;
  for (const char* inner : below)
    for (const char* kind : kinds)
      for (const char* ending : {"", ".gz"}) {
        auto path = folder / inner / concat(stem, kind, ending);
        if (std::filesystem::exists(path, ignored)) return path;
      }
  for (const char* kind : kinds) tried += concat(tried.empty() ? ": no " : " nor ", stem, kind);
  fail_data(name, tried, " (nor with .gz)", hint);
}

/// Images and labels that belong together: 28x28, one label each, from `least` to `most`, from which `least` is taken.
template <class Label>
LabelledImages join_labels(IdxImages images, const std::filesystem::path& images_path, const std::vector<Label>& labels,
                           const std::filesystem::path& labels_path, int least, int most) {
  const std::string images_name = display(images_path), labels_name = display(labels_path);
  if (images.rows != 28 || images.cols != 28)
    fail_data(images_name, ": images of ", images.rows, "x", images.cols, ", expected 28x28");
  if (static_cast<std::size_t>(images.count) != labels.size())
    fail_data(labels_name, ": ", labels.size(), " labels, expected ", images.count, ", one for each image of ",
              images_name);
  LabelledImages all{images.rows, images.cols, images.count, std::move(images.pixels), {}};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (std::cmp_less(labels[i], least) || std::cmp_greater(labels[i], most))
      fail_data(labels_name, ": label ", +labels[i], " of image ", i, ", expected ", least, " to ", most);
    all.labels.push_back(static_cast<std::uint8_t>(static_cast<int>(labels[i]) - least));
  }
  return all;
}

}  // namespace detail

/// Reads one part of MNIST, Fashion-MNIST or KMNIST from a folder. The files may be plain or gzip, and be named
/// train-images-idx3-ubyte or train-images.idx3-ubyte, with or without .gz (t10k- for the test part).
/// Throws Error when a file is missing or damaged, the images are not 28x28, their number is not that of the labels,
/// or a label is above 9.
inline LabelledImages load_mnist(const std::filesystem::path& folder, Split split) {
  const std::string part = split == Split::train ? "train" : "t10k";
  const std::string hint = detail::concat("; scripts/fetch-mnist ", detail::display(folder), " gets MNIST");
  const auto images = detail::find_image_file(folder, part + "-images", {"-idx3-ubyte", ".idx3-ubyte"}, {""}, hint);
  const auto labels = detail::find_image_file(folder, part + "-labels", {"-idx1-ubyte", ".idx1-ubyte"}, {""}, hint);
  return detail::join_labels(load_idx_images(images), images, load_idx_labels(labels), labels, 0, 9);
}

}  // namespace eigan
