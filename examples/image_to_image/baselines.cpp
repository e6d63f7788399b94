#include "baselines.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include <eigan/core/error.hpp>

namespace image_to_image {
namespace {

using Bytes = std::span<const std::uint8_t>;

std::int64_t distance(Bytes x, Bytes y) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += std::abs(int{x[i]} - int{y[i]});
  return sum;
}

/// Row-major, by pixel; a grey pixel stands for each of `channels`.
double mean_l1(const std::vector<double>& mean, const PictureSet& pictures) {
  double sum = 0;
  for (Index i = 0; i < pictures.count; ++i) {
    const Bytes picture = pictures.picture(i);
    for (std::size_t j = 0; j < picture.size(); ++j) sum += std::abs(mean[j] - picture[j]);
  }
  return sum / 255 / static_cast<double>(pictures.bytes.size());
}

std::vector<double> mean_of(const PictureSet& pictures) {
  std::vector<double> mean(static_cast<std::size_t>(pictures.size()));
  for (Index i = 0; i < pictures.count; ++i) {
    const Bytes picture = pictures.picture(i);
    for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += picture[j];
  }
  for (double& value : mean) value /= static_cast<double>(pictures.count);
  return mean;
}

double nearest_l1(const TwoDomains& train, const TwoDomains& test, Index most) {
  const Index count = std::min(most, test.a.count);
  std::int64_t sum = 0;
  for (Index i = 0; i < count; ++i) {
    const Bytes picture = test.a.picture(i);
    Index nearest = 0;
    std::int64_t least = distance(picture, train.a.picture(0));
    for (Index j = 1; j < train.a.count; ++j)
      if (const std::int64_t d = distance(picture, train.a.picture(j)); d < least) least = d, nearest = j;
    sum += distance(test.b.picture(i), train.b.picture(nearest));
  }
  return static_cast<double>(sum) / 255 / static_cast<double>(count * test.b.size());
}

}  // namespace

Differences differences(const PictureSet& x, const PictureSet& y) {
  const Index pixels = x.height * x.width, channels = std::max(x.channels, y.channels);
  const bool comparable = x.count == y.count && x.height == y.height && x.width == y.width &&
                          (x.channels == y.channels || x.channels == 1 || y.channels == 1);
  if (!comparable || x.count == 0) {
    eigan::detail::fail_contract("difference: ", x.count, " pictures of ", x.width, "x", x.height, " with ", x.channels,
                                 " channels beside ", y.count, " of ", y.width, "x", y.height, " with ", y.channels);
  }
  const auto values = static_cast<double>(pixels * channels);
  Differences found;
  for (Index i = 0; i < x.count; ++i) {
    const Bytes p = x.picture(i), q = y.picture(i);
    std::int64_t absolute = 0, squared = 0, of_means = 0;
    std::vector<std::int64_t> sums(static_cast<std::size_t>(channels));
    for (Index j = 0; j < pixels * channels; ++j) {
      const auto at = [&](Bytes bytes, Index of) {
        return int{bytes[static_cast<std::size_t>(of == 1 ? j / channels : j)]};
      };
      const int d = at(p, x.channels) - at(q, y.channels);
      absolute += std::abs(d);
      squared += d * d;
      sums[static_cast<std::size_t>(j % channels)] += d;
    }
    for (const std::int64_t sum : sums) of_means += std::abs(sum);
    found.l1.push_back(static_cast<double>(absolute) / 255 / values);
    found.squared.push_back(static_cast<double>(squared) / 255 / 255 / values);
    found.l1_of_means.push_back(static_cast<double>(of_means) / 255 / values);
  }
  return found;
}

Difference difference(const PictureSet& x, const PictureSet& y) {
  constexpr double least = 1e-10;
  const Differences of = differences(x, y);
  const auto mean = [](const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  };
  return {mean(of.l1), -10 * std::log10(std::max(mean(of.squared), least))};
}

Baselines baselines(const TwoDomains& train, const TwoDomains& test, Index most) {
  Baselines found;
  found.mean_l1 = mean_l1(mean_of(train.b), test.b);
  if (!test.paired) return found;
  const Difference identity = difference(test.a, test.b);
  found.identity_l1 = identity.l1;
  found.identity_psnr = identity.psnr;
  if (train.paired) found.nearest_l1 = nearest_l1(train, test, most);
  return found;
}

}  // namespace image_to_image
