#include "drawings.hpp"

#include <algorithm>
#include <cstdlib>
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
/// Pixels of the drawings, and a change of colour that is a line: of a channel's range, in a Sobel gradient of
/// length 4.
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

/// Pairs without those whose b is their a: there is nothing to colour in a sign.
TwoDomains coloured(const TwoDomains& pairs) {
  constexpr int least_change = 32;
  TwoDomains kept;
  kept.paired = true;
  kept.a = {0, pairs.a.height, pairs.a.width, pairs.a.channels, {}};
  kept.b = {0, pairs.b.height, pairs.b.width, pairs.b.channels, {}};
  for (Index i = 0; i < pairs.a.count; ++i) {
    const auto a = pairs.a.picture(i), b = pairs.b.picture(i);
    bool changes = false;
    for (std::size_t j = 0; j < b.size() && !changes; ++j) changes = std::abs(int{b[j]} - int{a[j / 3]}) > least_change;
    if (!changes) continue;
    append(kept.a, pairs.a, i);
    append(kept.b, pairs.b, i);
    kept.a_names.push_back(pairs.a_names[static_cast<std::size_t>(i)]);
  }
  kept.b_names = kept.a_names;
  return kept;
}

PictureSet changed(const PictureSet& set, Index size, const auto& change) {
  PictureSet out{set.count, size, size, 0, {}};
  for (Index i = 0; i < set.count; ++i) {
    const auto bytes = set.picture(i);
    const kit::Picture picture = kit::resized(
        change(kit::Picture{set.height, set.width, set.channels, {bytes.begin(), bytes.end()}}), size, size);
    out.channels = picture.channels;
    out.bytes.insert(out.bytes.end(), picture.bytes.begin(), picture.bytes.end());
  }
  return out;
}

kit::Picture as_it_is(kit::Picture picture) {
  return picture;
}

/// `looks`: by which drawings are alike, at one size, so that it is the same drawings at each.
TaskData divided_by_base(const TwoDomains& pairs, const PictureSet& looks) {
  constexpr Index compared = 32;
  std::vector<std::string> bases;
  for (const std::string& name : pairs.a_names) bases.push_back(base_drawing(name));
  return divided(pairs, joined_bases(std::move(bases), changed(looks, compared, as_it_is), alike));
}

}  // namespace

TaskData outline2emoji(const Sources& sources) {
  const TwoDomains pairs = coloured(read(sources, sources.size, 1));
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
  pairs.b = changed(pairs.a, sources.size, as_it_is);
  pairs.a = changed(pairs.a, sources.size, outline);
  TaskData data = divided_by_base(pairs, pairs.b);  // as in flat2shaded, so that both have the same test drawings
  data.info = {"outline2fluent", "outlines of flat drawings, black on white", "the flat drawings, on white",
               fluent_licence};
  return data;
}

}  // namespace image_to_image
