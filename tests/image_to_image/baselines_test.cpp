#include "image_to_image/baselines.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <stdexcept>

using image_to_image::PictureSet;
using Bytes = std::vector<std::uint8_t>;

namespace {

PictureSet set_of(eigan::Index count, eigan::Index channels, const Bytes& bytes) {
  return {count, 1, 2, channels, bytes};
}

}  // namespace

TEST_CASE("difference: L1 and PSNR by hand") {
  const auto d = image_to_image::difference(set_of(2, 1, {0, 255, 51, 51}), set_of(2, 1, {0, 0, 51, 102}));
  CHECK(d.l1 == doctest::Approx((1 + 0.2) / 4));
  CHECK(d.psnr == doctest::Approx(-10 * std::log10((1 + 0.04) / 4)));
  CHECK(image_to_image::difference(set_of(1, 1, {7, 8}), set_of(1, 1, {7, 8})).psnr == doctest::Approx(100));
}

TEST_CASE("differences: picture by picture what difference is of all") {
  const auto d = image_to_image::differences(set_of(2, 1, {0, 255, 51, 51}), set_of(2, 1, {0, 0, 51, 102}));
  REQUIRE(d.l1.size() == 2);
  REQUIRE(d.squared.size() == 2);
  CHECK(d.l1[0] == doctest::Approx(0.5));
  CHECK(d.l1[1] == doctest::Approx(0.1));
  CHECK(d.squared[0] == doctest::Approx(0.5));
  CHECK(d.squared[1] == doctest::Approx(0.02));
}

TEST_CASE("differences: of mean colours, those of pixels cancel within a channel of a picture, and nowhere else") {
  const auto d = image_to_image::differences(set_of(2, 3, {10, 20, 30, 10, 20, 30, 9, 9, 9, 9, 9, 9}),
                                             set_of(2, 3, {20, 10, 40, 0, 20, 10, 9, 9, 9, 9, 9, 19}));
  REQUIRE(d.l1_of_means.size() == 2);
  CHECK(d.l1[0] == doctest::Approx(60.0 / 255 / 6));
  CHECK(d.l1_of_means[0] == doctest::Approx(20.0 / 255 / 6));  // 0 of red, 10 of green, 10 of blue
  CHECK(d.l1_of_means[1] == doctest::Approx(10.0 / 255 / 6));
}

TEST_CASE("difference: grey stands for each channel; other sizes are a programming error") {
  const auto d = image_to_image::difference(set_of(1, 1, {0, 255}), set_of(1, 3, {0, 0, 255, 255, 255, 255}));
  CHECK(d.l1 == doctest::Approx(1.0 / 6));
  CHECK_THROWS_AS(image_to_image::difference(set_of(1, 1, {0, 0}), set_of(2, 1, {0, 0, 0, 0})), std::invalid_argument);
}

TEST_CASE("baselines: identity, mean picture and nearest neighbour") {
  image_to_image::TaskData data;
  data.train.paired = data.test.paired = true;
  data.train.a = set_of(3, 1, {0, 0, 255, 255, 0, 12});
  data.train.b = set_of(3, 1, {0, 102, 204, 102, 246, 240});
  data.test.a = set_of(1, 1, {250, 240});  // nearest to the second; the third one's partner would be nearer
  data.test.b = set_of(1, 1, {250, 240});
  const auto found = image_to_image::baselines(data.train, data.test);
  CHECK(found.identity_l1 == 0);
  CHECK(found.mean_l1 == doctest::Approx((100.0 + 92) / 255 / 2));
  CHECK(found.nearest_l1 == doctest::Approx((46.0 + 138) / 255 / 2));
}
