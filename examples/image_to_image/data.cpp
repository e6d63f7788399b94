#include "data.hpp"

#include <utility>

#include <zlib.h>

#include "kit/text.hpp"

namespace image_to_image {

namespace {

void reverse(TaskData& data) {
  std::swap(data.info.a, data.info.b);
  for (TwoDomains* domains : {&data.train, &data.validation, &data.test}) {
    std::swap(domains->a, domains->b);
    std::swap(domains->a_labels, domains->b_labels);
    std::swap(domains->a_names, domains->b_names);
  }
}

}  // namespace

TaskData read_data(const DataOptions& options) {
  TaskData data = read_task(options.folder());
  if (options.reversed) reverse(data);
  return data;
}

std::string fingerprint(const TwoDomains& pictures) {
  auto sum = crc32_z(0, pictures.a.bytes.data(), pictures.a.bytes.size());
  sum = crc32_z(sum, pictures.b.bytes.data(), pictures.b.bytes.size());
  return kit::concat(pictures.a.count, " and ", pictures.b.count, " pictures, CRC-32 ", sum);
}

}  // namespace image_to_image
