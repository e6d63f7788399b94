#include "translator.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <eigan/core/exact_text.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/io/image_sheet.hpp>
#include <eigan/io/model_file.hpp>
#include <eigan/io/network_file.hpp>

#include "kit/exit_code.hpp"

#include "feed.hpp"

namespace image_to_image {

using namespace eigan;

namespace {

constexpr Index most_multiple = 1024;
constexpr const char* network = "translator of pictures";

std::string text_of(const SafetensorsFile& file, const char* key) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end())
    throw Error(concat(file.name(), ": expected '", key,
                       "' in the metadata of a translator that image_to_image trained", ", found none"));
  return found->second;
}

bool draws(const Generator& model) {
  return model.architecture().find("Dropout") != std::string::npos;
}

PictureSet bytes_of(ConstView<float> pictures, Shape shape) {
  PictureSet set{pictures.cols(), shape.height, shape.width, shape.channels, {}};
  set.bytes.reserve(static_cast<std::size_t>(pictures.size()));
  for (Index j = 0; j < pictures.cols(); ++j)
    for (Index i = 0; i < pictures.rows(); ++i) set.bytes.push_back(pixel_from_value(pictures(i, j)));
  return set;
}

}  // namespace

bool Translator::takes(Index height, Index width) const {
  if (height % multiple != 0 || width % multiple != 0) return false;
  try {
    (void)model.at({from_channels(), height, width});
  } catch (const std::invalid_argument&) {
    return false;  // so few pixels that a layer has none left
  }
  return true;
}

Index Translator::nearest(Index side) const {
  Index size = std::max(multiple, (side + multiple / 2) / multiple * multiple);
  while (size < most_multiple && !takes(size, size)) size += multiple;
  return size;
}

PictureSet Translator::translate(const PictureSet& pictures, std::optional<std::uint64_t> noise,
                                 Threads threads) const {
  const Generator sized = model.at(shape_of(pictures));
  PictureSet all{0, pictures.height, pictures.width, to_channels(), {}};
  constexpr Index piece = 64;
  for (Index first = 0; first < pictures.count; first += piece) {
    const Matrix<float> x = picture_matrix(pictures, first, std::min(piece, pictures.count - first));
    Matrix<float> y;
    if (noise && draws(model)) {
      Tape<float> tape = sized.tape(x.cols());
      const Draw draw{Rng(*noise), first};
      const ConstView<float> input = x;
      y = sized.forward(tape, std::span(&input, 1), draw, threads);
    } else {
      y = sized.infer(x, threads);
    }
    const PictureSet some = bytes_of(y, sized.output_shape());
    all.bytes.insert(all.bytes.end(), some.bytes.begin(), some.bytes.end());
    all.count += some.count;
  }
  return all;
}

void save_translator(const std::filesystem::path& path, const Translator& t, std::map<std::string, std::string> about) {
  about.insert({{"network", network},
                {"task", t.task},
                {"from", t.from},
                {"to", t.to},
                {"direction", t.reversed ? "b to a" : "a to b"},
                {"multiple", std::to_string(t.multiple)}});
  save(path, t.model, about);
}

Translator load_translator(const std::filesystem::path& path) {
  return reading([&] {
    const auto file = SafetensorsFile::read(path);
    if (const std::string found = text_of(file, "network"); found != network)
      throw Error(concat(file.name(), ": expected a ", network, ", found a ", printable(found)));
    if (file.metadata().count("quantised") > 0)
      throw Error(concat(file.name(), ": expected weights of 32 bits, found eight; `eigan_page full` makes them 32"));
    const std::string direction = text_of(file, "direction"), multiple = text_of(file, "multiple");
    double number = 0;
    if (!parse_number(multiple, number) || number < 1 || number > most_multiple || number != std::floor(number))
      throw Error(concat(file.name(), ": metadata 'multiple': expected a whole number from 1 to ", most_multiple,
                         ", found '", printable(multiple), "'"));
    if (direction != "a to b" && direction != "b to a")
      throw Error(
          concat(file.name(), ": metadata 'direction': expected a to b or b to a, found '", printable(direction), "'"));
    Translator t{Generator(load_network(file), Rng(0)),
                 text_of(file, "task"),
                 text_of(file, "from"),
                 text_of(file, "to"),
                 direction == "b to a",
                 static_cast<Index>(number)};
    const Shape in = t.model.input_shape(), out = t.model.output_shape();
    const auto has_channels = [](Shape shape) { return shape.channels == 1 || shape.channels == 3; };
    if (t.model.steps().inputs() != 1 || in.height != out.height || in.width != out.width || !has_channels(in) ||
        !has_channels(out))
      throw Error(concat(file.name(), ": expected a network from pictures of 1 or 3 channels to as large ones, found ",
                         "one from ", shape_text(in), " to ", shape_text(out)));
    load(file, t.model);
    return t;
  });
}

}  // namespace image_to_image
