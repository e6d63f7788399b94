#include "drawings.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include <eigan/io/file_descriptor.hpp>

#include "kit/exit_code.hpp"
#include "kit/resized.hpp"
#include "kit/text.hpp"

#include "edges.hpp"
#include "own_pictures.hpp"
#include "splits.hpp"

namespace image_to_image {
namespace {

/// L1 below which two drawings of a are one.
constexpr double alike = 0.02;
/// Pixels of the drawings, and a change of colour that is a line: of a channel's range, in a Sobel gradient of length 4.
constexpr Index drawn = 128;
constexpr double least = 0.4;

constexpr const char* openmoji_licence = "CC BY-SA 4.0 (OpenMoji)";
constexpr const char* fluent_licence = "MIT (Fluent Emoji)";

TwoDomains read(const Sources& sources, Index size, Index a_channels) {
  std::error_code ignored;
  if (!std::filesystem::exists(sources.data / "LICENCE", ignored)) {
    throw kit::BadInput(kit::concat(eigan::detail::display(sources.data),
                                    ": expected the pictures that scripts/fetch-pictures leaves, found no LICENCE"));
  }
  FolderOptions options;
  options.height = options.width = size;
  options.a_channels = a_channels;
  return read_pairs(sources.data, options);
}

TaskData divided_by_base(const TwoDomains& pairs, const PictureSet& looks) {
  std::vector<std::string> bases;
  for (const std::string& name : pairs.a_names) bases.push_back(base_drawing(name));
  return divided(pairs, joined_bases(std::move(bases), looks, alike));
}

PictureSet changed(const PictureSet& set, Index size, const auto& change) {
  PictureSet out{set.count, size, size, 0, {}};
  for (Index i = 0; i < set.count; ++i) {
    const auto bytes = set.picture(i);
    const kit::Picture picture =
        kit::resized(change(kit::Picture{set.height, set.width, set.channels, {bytes.begin(), bytes.end()}}), size, size);
    out.channels = picture.channels;
    out.bytes.insert(out.bytes.end(), picture.bytes.begin(), picture.bytes.end());
  }
  return out;
}

}  // namespace

TaskData outline2emoji(const Sources& sources) {
  const TwoDomains pairs = read(sources, sources.size, 1);
  TaskData data = divided_by_base(pairs, pairs.a);
  data.info = {"outline2emoji", "outlines, black on white", "the same drawings in colour, on white", openmoji_licence};
  return data;
}

TaskData flat2shaded(const Sources& sources) {
  const TwoDomains pairs = read(sources, sources.size, 3);
  TaskData data = divided_by_base(pairs, pairs.a);
  data.info = {"flat2shaded", "flat drawings on white", "the same drawings shaded, on white", fluent_licence};
  return data;
}

TaskData flat2shaded_shuffled(const Sources& sources) {
  TaskData data = flat2shaded(sources);
  data.info.task = "flat2shaded_shuffled";
  // A fixed order without a pattern: by the hash of a name.
  TwoDomains& train = data.train;
  std::vector<std::size_t> order(train.b_names.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(hash_of(train.b_names[i] + " of b"), i); });
  TwoDomains shuffled = train;
  shuffled.paired = false;
  shuffled.b.bytes.clear();
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto picture = train.b.picture(static_cast<Index>(order[i]));
    shuffled.b.bytes.insert(shuffled.b.bytes.end(), picture.begin(), picture.end());
    shuffled.b_names[i] = train.b_names[order[i]];
  }
  train = std::move(shuffled);
  return data;
}

TaskData outline2fluent(const Sources& sources) {
  TwoDomains pairs = read(sources, drawn, 3);
  const auto outline = [](const kit::Picture& picture) { return edges(picture, least); };
  const auto as_it_is = [](kit::Picture picture) { return picture; };
  pairs.b = changed(pairs.a, sources.size, as_it_is);
  pairs.a = changed(pairs.a, sources.size, outline);
  TaskData data = divided_by_base(pairs, pairs.b);  // as in flat2shaded, so that both have the same test drawings
  data.info = {"outline2fluent", "outlines of flat drawings, black on white", "the flat drawings, on white",
               fluent_licence};
  return data;
}

}  // namespace image_to_image
