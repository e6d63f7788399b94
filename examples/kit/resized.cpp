#include "resized.hpp"

#include <algorithm>
#include <cmath>

#include <eigan/core/error.hpp>

namespace kit {
namespace {

/// What goes into one result along a direction: the pixels from `first` on, each with its weight; they sum to 1.
struct Mixture {
  Index first = 0;
  std::vector<float> weights;
};

std::vector<Mixture> mixtures(Index from, Index to) {
  std::vector<Mixture> all(static_cast<std::size_t>(to));
  const double step = static_cast<double>(from) / static_cast<double>(to);
  for (Index i = 0; i < to; ++i) {
    Mixture& mixture = all[static_cast<std::size_t>(i)];
    if (from > to) {  // the area from begin to end
      const double begin = static_cast<double>(i) * step, end = std::min(begin + step, static_cast<double>(from));
      mixture.first = static_cast<Index>(begin);
      for (Index j = mixture.first; static_cast<double>(j) < end - 1e-9; ++j) {
        const double part = std::min(static_cast<double>(j + 1), end) - std::max(static_cast<double>(j), begin);
        mixture.weights.push_back(static_cast<float>(part / step));
      }
    } else {
      const double place = std::clamp((static_cast<double>(i) + 0.5) * step - 0.5, 0.0, static_cast<double>(from - 1));
      mixture.first = static_cast<Index>(place);
      const auto next = static_cast<float>(place - std::floor(place));
      mixture.weights = {1 - next};
      if (next > 0) mixture.weights.push_back(next);
    }
  }
  return all;
}

}  // namespace

Picture resized(const Picture& picture, Index height, Index width) {
  if (height < 1 || width < 1 || picture.bytes.empty()) {
    eigan::detail::fail_contract("resized: ", picture.width, "x", picture.height, " to ", width, "x", height,
                                 ", expected pixels in both");
  }
  if (height == picture.height && width == picture.width) return picture;
  const std::vector<Mixture> rows = mixtures(picture.height, height), cols = mixtures(picture.width, width);
  const Index channels = picture.channels;
  Picture out{height, width, channels, {}};
  out.bytes.reserve(static_cast<std::size_t>(height * width * channels));
  std::vector<float> line(static_cast<std::size_t>(picture.width * channels));  // one row of the result, still as wide
  for (const Mixture& row : rows) {
    std::fill(line.begin(), line.end(), 0.0f);
    for (std::size_t i = 0; i < row.weights.size(); ++i) {
      const std::uint8_t* const from = picture.bytes.data() + (row.first + static_cast<Index>(i)) * std::ssize(line);
      for (std::size_t j = 0; j < line.size(); ++j) line[j] += row.weights[i] * static_cast<float>(from[j]);
    }
    for (const Mixture& col : cols)
      for (Index channel = 0; channel < channels; ++channel) {
        float value = 0;
        for (std::size_t i = 0; i < col.weights.size(); ++i)
          value +=
              col.weights[i] * line[static_cast<std::size_t>((col.first + static_cast<Index>(i)) * channels + channel)];
        out.bytes.push_back(static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L)));
      }
  }
  return out;
}

Picture cropped(const Picture& picture, Index top, Index left, Index height, Index width) {
  const bool inside = top >= 0 && left >= 0 && height >= 1 && width >= 1 && top <= picture.height - height &&
                      left <= picture.width - width;
  if (!inside) {
    eigan::detail::fail_contract("cropped: ", width, "x", height, " pixels at (", left, ", ", top, ") of ",
                                 picture.width, "x", picture.height);
  }
  Picture out{height, width, picture.channels, {}};
  for (Index row = top; row < top + height; ++row) {
    const auto from = picture.bytes.begin() + (row * picture.width + left) * picture.channels;
    out.bytes.insert(out.bytes.end(), from, from + width * picture.channels);
  }
  return out;
}

Picture cropped_to_shape(const Picture& picture, Index height, Index width) {
  const Index h = std::clamp<Index>(picture.width * height / width, 1, picture.height);
  const Index w = std::clamp<Index>(picture.height * width / height, 1, picture.width);
  return cropped(picture, (picture.height - h) / 2, (picture.width - w) / 2, h, w);
}

}  // namespace kit
