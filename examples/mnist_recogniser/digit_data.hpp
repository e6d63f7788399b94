// Data sets of digits with their labels: MNIST, and EMNIST, whose files have other names, images that are transposed
// and, in some splits, labels of letters (Cohen, Afshar, Tapson, van Schaik: "EMNIST: an extension of MNIST to
// handwritten letters", 2017).
#pragma once

#include <string>

#include <eigan/data/labelled_images.hpp>
#include <eigan/data/mnist.hpp>

namespace mnist_recogniser {

struct DataOptions {
  std::string folder;
  /// A split of EMNIST with digits: digits, mnist, balanced, byclass or bymerge; empty for MNIST. Of the last three
  /// the images of letters are left out.
  std::string emnist;
};

/// One part of a data set, with images that stand upright. eigan::Error for files that are missing or damaged, that are
/// EMNIST's where MNIST was asked for, and for images that the recogniser in the file `reader` reads far better
/// transposed.
eigan::LabelledImages load_digits(const DataOptions& options, eigan::Split split, const std::string& reader);

}  // namespace mnist_recogniser
