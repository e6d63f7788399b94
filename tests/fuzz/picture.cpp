// Pictures that a network is to translate, PNG and JPEG: of each, pixels of the channels asked for, or a refusal.
#include <utility>

#include "kit/read_picture.hpp"
#include "kit/resized.hpp"

#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const eigan::Index channels : {1, 3}) {
    kit::Picture picture;
    const bool read = fuzz::accepts([&] {
      picture = kit::parse_picture(std::as_bytes(std::span(data, size)), "f", {channels, 255});
    });
    if (!read) continue;
    const auto fits = [&](const kit::Picture& of) {
      return of.height > 0 && of.width > 0 && of.channels == channels &&
             std::ssize(of.bytes) == of.height * of.width * channels;
    };
    fuzz::require(fits(picture));
    if (picture.bytes.size() > 65536) continue;  // it would only take time
    for (const auto& [height, width] : {std::pair<eigan::Index, eigan::Index>{7, 5}, {32, 64}}) {
      fuzz::require(fits(kit::resized(picture, height, width)));
      fuzz::require(fits(kit::resized(kit::cropped_to_shape(picture, height, width), height, width)));
    }
  }
  return 0;
}
