#include "fonts.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <system_error>
#include <utility>

#include <eigan/core/error.hpp>
#include <eigan/data/mnist.hpp>
#include <eigan/io/read_file.hpp>

#include "kit/exit_code.hpp"
#include "kit/text.hpp"

#include "splits.hpp"

#define STB_TRUETYPE_IMPLEMENTATION
#define STBTT_STATIC
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-align"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wdouble-promotion"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wduplicated-branches"
#endif
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb/stb_truetype.h>
#pragma GCC diagnostic pop

namespace image_to_image {

namespace fs = std::filesystem;
using kit::Picture;

namespace {

constexpr Index side = 28, digit_side = 20, held_out = 5000;
/// L1 of ten digits: below the first two faces of a package are one, below the second two packages are.
constexpr double same = 0.01, alike = 0.03;

/// Ink in the middle of a black picture, by its centre of mass.
Picture centred(const std::uint8_t* ink, Index height, Index width) {
  double mass = 0, rows = 0, cols = 0;
  for (Index row = 0; row < height; ++row)
    for (Index col = 0; col < width; ++col) {
      const double value = ink[row * width + col];
      mass += value;
      rows += value * static_cast<double>(row);
      cols += value * static_cast<double>(col);
    }
  const auto start = [&](double sum, Index size) {
    const auto place = static_cast<Index>(std::lround((side - 1) / 2.0 - sum / mass));
    return std::clamp<Index>(place, 0, side - size);
  };
  const Index top = start(rows, height), left = start(cols, width);
  Picture picture{side, side, 1, {}};
  picture.bytes.assign(static_cast<std::size_t>(side * side), 0);
  for (Index row = 0; row < height; ++row)
    std::copy_n(ink + row * width, width, picture.bytes.begin() + (top + row) * side + left);
  return picture;
}

/// Empty if the font has none.
Picture digit_of(const stbtt_fontinfo& font, int digit) {
  const int glyph = stbtt_FindGlyphIndex(&font, '0' + digit);
  int left = 0, below = 0, right = 0, above = 0;
  if (glyph == 0 || stbtt_GetGlyphBox(&font, glyph, &left, &below, &right, &above) == 0) return {};
  const int longest = std::max(right - left, above - below);
  if (longest <= 0) return {};
  const float scale = static_cast<float>(digit_side) / static_cast<float>(longest);
  int width = 0, height = 0, x = 0, y = 0;
  const std::unique_ptr<std::uint8_t, void (*)(void*)> ink(
      stbtt_GetGlyphBitmap(&font, scale, scale, glyph, &width, &height, &x, &y),
      [](void* memory) { std::free(memory); });
  if (!ink || width > side || height > side) return {};
  const auto values = std::span(ink.get(), static_cast<std::size_t>(width * height));
  return std::ranges::all_of(values, [](auto value) { return value < 128; }) ? Picture{}
                                                                             : centred(ink.get(), height, width);
}

struct Faces {
  PictureSet sheets;  ///< of a face, the ten digits as one picture
  std::vector<std::string> packages, names;
};

bool is_font(const fs::path& path) {
  return path.extension() == ".ttf" || path.extension() == ".otf";
}

std::vector<fs::path> fonts_below(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (is_font(entry->path())) files.push_back(entry->path());
  if (files.empty()) {
    throw kit::BadInput(kit::concat(eigan::detail::display(folder),
                                    ": expected fonts, .ttf or .otf; scripts/fetch-pictures mnist2fonts fetches some"));
  }
  std::ranges::sort(files);
  return files;
}

bool is_there(const Faces& faces, const std::string& package, const std::vector<std::uint8_t>& sheet) {
  for (std::size_t i = 0; i < faces.packages.size(); ++i) {
    if (faces.packages[i] != package) continue;
    const auto other = faces.sheets.picture(static_cast<Index>(i));
    double sum = 0;
    for (std::size_t j = 0; j < sheet.size(); ++j) sum += std::abs(int{sheet[j]} - int{other[j]});
    if (sum < same * 255 * static_cast<double>(sheet.size())) return true;
  }
  return false;
}

Faces faces_below(const fs::path& folder) {
  Faces faces;
  faces.sheets = {0, 10 * side, side, 1, {}};
  for (const fs::path& path : fonts_below(folder)) {
    std::vector<std::uint8_t> sheet;
    for (const Picture& digit : digits_of_font(kit::reading([&] { return eigan::read_file(path); })))
      sheet.insert(sheet.end(), digit.bytes.begin(), digit.bytes.end());
    const std::string package = path.lexically_relative(folder).begin()->string();
    if (sheet.empty() || is_there(faces, package, sheet)) continue;
    faces.sheets.bytes.insert(faces.sheets.bytes.end(), sheet.begin(), sheet.end());
    ++faces.sheets.count;
    faces.packages.push_back(package);
    faces.names.push_back(kit::concat(package, '/', path.stem().string()));
  }
  return faces;
}

void add_mnist(TwoDomains& part, const eigan::LabelledImages& images, Index first, Index last) {
  const Index size = images.features();
  part.a = {last - first, images.rows, images.cols, 1, {}};
  part.a.bytes.assign(images.pixels.begin() + first * size, images.pixels.begin() + last * size);
  part.a_labels.assign(images.labels.begin() + first, images.labels.begin() + last);
}

}  // namespace

std::vector<Picture> digits_of_font(std::span<const std::byte> file) {
  const auto* const bytes = reinterpret_cast<const unsigned char*>(file.data());
  stbtt_fontinfo font;
  const int offset = file.size() < 12 ? -1 : stbtt_GetFontOffsetForIndex(bytes, 0);
  std::vector<Picture> digits;
  if (offset < 0 || stbtt_InitFont(&font, bytes, offset) == 0) return digits;
  for (int digit = 0; digit < 10; ++digit) {
    digits.push_back(digit_of(font, digit));
    if (digits.back().bytes.empty()) return {};
  }
  return digits;
}

TaskData mnist2fonts(const Sources& sources) {
  const auto load = [&](eigan::Split split) {
    return kit::reading([&] { return eigan::load_mnist(sources.mnist, split); });
  };
  const eigan::LabelledImages train = load(eigan::Split::train), test = load(eigan::Split::test);
  if (train.count <= held_out) {
    throw kit::BadInput(kit::concat(eigan::detail::display(sources.mnist), ": ", train.count,
                                    " training images, expected more than ", held_out));
  }
  TaskData data;
  data.info = {"mnist2fonts", "digits by hand, white on black (MNIST)", "digits of fonts, white on black",
               "MNIST: CC BY-SA 3.0; fonts: free, see the copyright file of each package"};
  add_mnist(data.train, train, 0, train.count - held_out);
  add_mnist(data.validation, train, train.count - held_out, train.count);
  add_mnist(data.test, test, 0, test.count);
  const Faces faces = faces_below(sources.data);
  const std::vector<std::string> bases = joined_bases(faces.packages, faces.sheets, alike);
  for (TwoDomains* part : {&data.train, &data.validation, &data.test}) part->b = {0, side, side, 1, {}};
  for (std::size_t i = 0; i < bases.size(); ++i) {
    const Part where = part_of(bases[i]);
    TwoDomains& part = where == Part::train ? data.train : where == Part::test ? data.test : data.validation;
    const auto sheet = faces.sheets.picture(static_cast<Index>(i));
    part.b.bytes.insert(part.b.bytes.end(), sheet.begin(), sheet.end());
    part.b.count += 10;
    for (int digit = 0; digit < 10; ++digit) {
      part.b_labels.push_back(static_cast<std::uint8_t>(digit));
      part.b_names.push_back(kit::concat(faces.names[i], '/', digit));
    }
  }
  for (const TwoDomains* part : {&data.validation, &data.test}) {
    if (part->b.count > 0 && data.train.b.count > 0) continue;
    throw kit::BadInput(kit::concat(eigan::detail::display(sources.data), ": ", faces.packages.size(),
                                    " faces, expected folders of fonts for training, validation and test"));
  }
  return data;
}

}  // namespace image_to_image
