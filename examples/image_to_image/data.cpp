#include "data.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <zlib.h>

#include "kit/text.hpp"

#include "own_pictures.hpp"
#include "sheet.hpp"

namespace image_to_image {

namespace {

/// Every tenth picture is held out.
void hold_out(PictureSet& set, PictureSet& held_out) {
  std::vector<Index> kept, out;
  for (Index i = 0; i < set.count; ++i) (i % 10 == 9 ? out : kept).push_back(i);
  held_out = some_of(set, out);
  set = some_of(set, kept);
}

TaskData own_pictures(const DataOptions& o) {
  const FolderOptions how{
      .height = o.size, .width = o.size, .multiple = 4, .a_channels = o.a_channels, .b_channels = o.b_channels};
  TaskData data;
  data.info = {o.pairs.empty() ? "own pictures" : "own pairs", "a", "b", "their owner's"};
  data.train = o.pairs.empty() ? read_unpaired(o.a, o.b, how) : read_pairs(o.pairs, how);
  data.train.a_names.clear(), data.train.b_names.clear();
  if (std::min(data.train.a.count, data.train.b.count) >= 10) {  // else one side would have none
    hold_out(data.train.a, data.validation.a);
    hold_out(data.train.b, data.validation.b);
  }
  data.validation.paired = data.train.paired;
  return data;
}

}  // namespace

void reverse(TaskData& data) {
  std::swap(data.info.a, data.info.b);
  for (TwoDomains* domains : {&data.train, &data.validation, &data.test}) {
    std::swap(domains->a, domains->b);
    std::swap(domains->a_labels, domains->b_labels);
    std::swap(domains->a_names, domains->b_names);
  }
}

TaskData read_data(const DataOptions& options) {
  TaskData data = options.task.empty() ? own_pictures(options) : read_task(options.folder());
  if (options.reversed) reverse(data);
  return data;
}

std::string fingerprint(const TwoDomains& pictures) {
  auto sum = crc32_z(0, pictures.a.bytes.data(), pictures.a.bytes.size());
  sum = crc32_z(sum, pictures.b.bytes.data(), pictures.b.bytes.size());
  return kit::concat(pictures.a.count, " and ", pictures.b.count, " pictures, CRC-32 ", sum);
}

}  // namespace image_to_image
