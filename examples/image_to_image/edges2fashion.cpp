#include "edges2fashion.hpp"

#include <utility>

#include <eigan/core/error.hpp>
#include <eigan/data/mnist.hpp>

#include "kit/exit_code.hpp"

#include "edges.hpp"

namespace image_to_image {
namespace {

constexpr Index held_out = 5000;
constexpr double least = 1;

/// The garments `first` to before `last`, and their edges.
TwoDomains part_of(const eigan::LabelledImages& images, Index first, Index last) {
  TwoDomains part;
  part.paired = true;
  part.a = {last - first, images.rows, images.cols, 1, {}};
  part.b = part.a;
  const Index size = images.features();
  for (Index i = first; i < last; ++i) {
    const auto pixels = images.pixels.begin() + i * size;
    const kit::Picture garment{images.rows, images.cols, 1, {pixels, pixels + size}};
    const kit::Picture lines = edges(garment, least);
    part.a.bytes.insert(part.a.bytes.end(), lines.bytes.begin(), lines.bytes.end());
    part.b.bytes.insert(part.b.bytes.end(), garment.bytes.begin(), garment.bytes.end());
  }
  part.a_labels.assign(images.labels.begin() + first, images.labels.begin() + last);
  part.b_labels = part.a_labels;
  return part;
}

}  // namespace

TaskData edges2fashion(const Sources& sources) {
  const auto load = [&](eigan::Split split) {
    return kit::reading([&] { return eigan::load_mnist(sources.data, split); });
  };
  const eigan::LabelledImages train = load(eigan::Split::train), test = load(eigan::Split::test);
  if (train.count <= held_out) {
    throw kit::BadInput(eigan::detail::concat(eigan::detail::display(sources.data), ": ", train.count,
                                              " training images, expected more than ", held_out));
  }
  TaskData data;
  data.info = {"edges2fashion", "edges of garments, black lines on white", "garments, grey on black", "MIT"};
  data.train = part_of(train, 0, train.count - held_out);
  data.validation = part_of(train, train.count - held_out, train.count);
  data.test = part_of(test, 0, test.count);
  return data;
}

}  // namespace image_to_image
