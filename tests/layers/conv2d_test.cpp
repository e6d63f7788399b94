#include <doctest/doctest.h>
#include <cmath>
#include <string>
#include <vector>

#include <eigan/layers/conv2d.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "support.hpp"

using namespace eigan;

TEST_CASE("Conv2d: gradients and tangents") {
  struct Case {
    Conv2d<> layer;
    Shape shape;
  };
  const Case cases[] = {
      {{1, 1, 1}, {1, 1, 1}},          {{1, 5, 3, 1, 1}, {1, 4, 6}},        {{3, 7, 4, 2, 1}, {3, 6, 8}},
      {{2, 3, 3, 3, 0}, {2, 7, 5}},    {{3, 4, 2, 1, 3}, {3, 2, 3}},        {{16, 5, 3, 1, 1}, {16, 3, 4}},
      {{17, 20, 4, 2, 1}, {17, 5, 4}}, {{16, 70, 1}, {16, 2, 3}},           {{70, 3, 3, 2, 1}, {70, 4, 3}},
      {{20, 2, 5, 1, 2}, {20, 3, 3}},  {{4, 3, 3, 1, 1, false}, {4, 3, 5}}, {{16, 3, 3, 2, 1, false}, {16, 4, 5}},
  };
  for (const Case& c : cases) {
    const auto report = testing::check_gradients(c.layer, {.shape = c.shape, .batches = {1, 3}, .cap = 150});
    INFO(c.layer.spec().text(), " of ", c.shape.height, " x ", c.shape.width, "\n", report.text());
    CHECK(report.ok());
  }
}

TEST_CASE("Conv2d: a hand-worked image") {
  // One channel of 2 x 3 pixels, 1 2 3 / 4 5 6, kernel 2 x 2 = 1 10 / 100 1000, b = 0.5.
  const auto layer = Conv2d<1, 1, 2>().at({1, 2, 3});
  const std::vector<float> p{1, 10, 100, 1000, 0.5f};
  const Matrix<float> x{{1}, {2}, {3}, {4}, {5}, {6}};
  std::vector<float> q(4);
  layer.prepare<float>(p, {}, q, Phase::training);
  Matrix<float> y(2, 1), dx(6, 1);
  layer.forward<float>({p, q}, x, y);
  CHECK(y == Matrix<float>{{5421.5f}, {6532.5f}});
  const Matrix<float> dy{{1}, {2}};
  layer.backward_input<float>({p, q}, x, y, dy, dx);
  CHECK(dx == Matrix<float>{{1}, {12}, {20}, {100}, {1200}, {2000}});
  std::vector<float> dp(5, 1000);
  layer.backward_params<float>({p, q}, x, y, dy, dp);
  CHECK(dp == std::vector<float>{1005, 1008, 1014, 1017, 1003});
}

TEST_CASE("Conv2d: stride and padding, two channels in and out") {
  // 1 x 2 pixels of two channels, (1, 10) and (2, 20); kernel 2, stride 2, padding 1: three pixels in a row.
  const auto layer = Conv2d<>(2, 2, 2, 2, 1, false).at({2, 1, 2});
  // Columns are (tap, channel): the upper taps 0 and 1 see zeros only, tap 2 is below left, tap 3 below right.
  std::vector<double> p(16, 99);
  const double below[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  std::copy_n(below, 8, p.begin() + 8);
  const Matrix<double> x{{1}, {10}, {2}, {20}};
  Matrix<double> y(4, 1);
  layer.forward<double>({p, {}}, x, y);
  // Left pixel: tap 3 meets (1, 10); right pixel: tap 2 meets (2, 20).
  CHECK(y == Matrix<double>{{5 + 70}, {6 + 80}, {2 + 60}, {4 + 80}});
}

TEST_CASE("Conv2d: float and double agree, and the bits do not depend on how rows and blocks are shared") {
  struct Case {
    Conv2d<> layer;
    Shape shape;
  };
  const Case cases[] = {{{3, 20, 4, 2, 1}, {3, 14, 10}}, {{32, 70, 3, 1, 1}, {32, 9, 7}}};
  for (const Case& c : cases) {
    const auto layer = c.layer.at(c.shape);
    const auto pd = support::random_values<double>(static_cast<std::size_t>(layer.param_size()), 1, -1, 1);
    const std::vector<float> p(pd.begin(), pd.end());
    std::vector<float> q(static_cast<std::size_t>(layer.prepared_size()));
    layer.prepare<float>(p, {}, q, Phase::training);
    const Matrix<float> x = support::random_matrix<float>(layer.input_size(), 5, 2),
                        dy = support::random_matrix<float>(layer.output_size(), 5, 3);
    Matrix<float> y(layer.output_size(), 5), dx(layer.input_size(), 5);
    layer.forward<float>({p, q}, x, y);
    layer.backward_input<float>({p, q}, x, y, dy, dx);
    std::vector<float> dp(p.size());
    layer.backward_params<float>({p, q}, x, y, dy, dp);

    const std::vector<double> exact(p.begin(), p.end());
    const Matrix<double> xd = x.cast<double>();
    Matrix<double> yd(layer.output_size(), 5);
    layer.forward<double>({exact, {}}, xd, yd);
    CHECK((y.cast<double>() - yd).cwiseAbs().maxCoeff() < 1e-4);

    for (const Index share : {1, 2, 3}) {
      Matrix<float> y2 = y * 0, dx2 = dx * 0;
      for (Index part = 0; part < layer.part_count(); part += share) {
        const Index end = std::min(part + share, layer.part_count());
        layer.forward_parts<float>({p, q}, x, y2, part, end);
        layer.backward_input_parts<float>({p, q}, x, y, dy, dx2, part, end);
      }
      CHECK(support::same_bits(y, y2));
      CHECK(support::same_bits(dx, dx2));
      std::vector<float> dp2(p.size());
      for (Index block = 0; block < layer.block_count(); block += share)
        layer.backward_params_blocks<float>({p, q}, x, y, dy, dp2, block, std::min(block + share, layer.block_count()));
      CHECK(dp == dp2);
    }
  }
}

TEST_CASE("Conv2d: starts as torch.nn.Conv2d does, and files have its order") {
  const auto layer = Conv2d<4, 50, 5>().at({4, 5, 5});
  std::vector<float> p(static_cast<std::size_t>(layer.param_size()));
  layer.init<float>(p, Rng(3));
  const Eigen::Map<const Eigen::ArrayXf> w(p.data(), 5000), b(p.data() + 5000, 50);
  CHECK(w.maxCoeff() < 0.1f);
  CHECK(w.maxCoeff() > 0.0999f);
  CHECK(w.minCoeff() >= -0.1f);
  CHECK(std::abs(w.mean()) < 0.002f);
  CHECK(b.abs().maxCoeff() < 0.1f);
  CHECK(b.abs().maxCoeff() > 0.08f);

  const auto parameters = Conv2d<2, 3, 2>().at({2, 2, 2}).parameters();
  REQUIRE(parameters.size() == 2);
  CHECK(parameters[0].file_shape() == std::vector<Index>{3, 2, 2, 2});
  std::vector<Index> places;
  parameters[0].for_each_in_file_order([&](Index place) { places.push_back(place); });
  // out, then (column 2 tap + in), of three rows.
  CHECK(std::vector<Index>(places.begin(), places.begin() + 9) == std::vector<Index>{0, 6, 12, 18, 3, 9, 15, 21, 1});
  CHECK(parameters[1].name == "bias");
  CHECK(parameters[1].offset == 24);
  CHECK(Conv2d<2, 3, 2>({.bias = false}).at({2, 2, 2}).parameters().size() == 1);
}

TEST_CASE("Conv2d: a batch is cut into runs where blocks are few and the work is much") {
  const auto first = Conv2d<3, 64, 4, 2, 1>().at({3, 64, 64}), deep = Conv2d<64, 128, 4, 2, 1>().at({64, 14, 14});
  CHECK(first.block_count() == 1);
  CHECK(first.gradient_splits(1) == 1);
  CHECK(first.gradient_splits(3) == 3);
  CHECK(first.gradient_splits(64) == 16);
  CHECK(deep.block_count() == 16);
  CHECK(deep.gradient_splits(64) == 1);
  CHECK(Conv2d<512, 512, 1>().at({512, 4, 4}).block_count() == 8);
  CHECK(Conv2d<1, 2, 3>().at({1, 4, 4}).gradient_splits(64) == 1);
}

TEST_CASE("Conv2d: shapes, names, and what is refused") {
  static_assert(Conv2d<3, 32, 4, 2, 1>{}.output_shape({3, 64, 48}) == Shape{32, 32, 24});
  static_assert(Conv2d<3, 8, 3>{}.output_shape({3, 3, 5}) == Shape{8, 1, 3});
  static_assert(!Conv2d<3, 8, 3>{}.output_shape({3, 2, 5}) && !Conv2d<3, 8, 3>{}.output_shape({4, 5, 5}));
  static_assert(!Conv2d<3, 8, 3>{}.output_shape({}));
  CHECK(Conv2d<3, 32, 4, 2, 1>().expects() == "3 channels, at least 2 x 2 pixels");
  CHECK(Conv2d<3, 32, 4, 2, 1>().spec().text() ==
        "Conv2d(in_channels=3, out_channels=32, kernel_size=4, stride=2, padding=1, bias=1)");
  CHECK(Conv2d<>(3, 32, 4, 2, 1).spec().type == "::eigan::Conv2d<3, 32, 4, 2, 1>");
  CHECK(Conv2d<3, 32, 4, 2, 1>({.bias = false}).spec() == Conv2d<>(3, 32, 4, 2, 1, false).spec());
  CHECK_THROWS_WITH_AS(
      Conv2d<>(3, 0, 4),
      "eigan::Conv2d: cannot have 3 to 0 channels, kernel_size 4, stride 1, padding 0; expected channels, kernel_size "
      "and stride of at least 1, a padding of at least 0, output_padding below stride, fewer than 2^40 weights",
      std::invalid_argument);
  CHECK_THROWS_WITH_AS((Conv2d<3, 8, 3>(3, 8, 3, 2)),
                       "eigan::Conv2d: cannot have 3 to 8 channels, kernel_size 3, stride 2, padding 0; expected "
                       "channels, kernel_size and stride of at least 1, a padding of at least 0, output_padding below "
                       "stride, fewer than 2^40 weights; the type says 3 "
                       "to 8 channels, kernel_size 3, stride 1, padding 0",
                       std::invalid_argument);
  CHECK_THROWS_AS(Conv2d<>(1, 1, 3, 0), std::invalid_argument);
  CHECK_THROWS_AS(Conv2d<>(1, 1, 3, 1, -1), std::invalid_argument);
  const Index huge = Index{1} << 30;
  CHECK_THROWS_AS(Conv2d<>(huge, huge, huge), std::invalid_argument);
}

TEST_CASE("Conv2d: dilation and groups are refused by name") {
  CHECK_NOTHROW(detail::refuse_dilation_and_groups("Conv2d", 1, 1));
  CHECK_THROWS_WITH_AS(detail::refuse_dilation_and_groups("Conv2d", 2, 1),
                       "eigan::Conv2d: dilation must be 1, is 2; others are not built", std::invalid_argument);
  CHECK_THROWS_WITH_AS(detail::refuse_dilation_and_groups("Conv2d", 1, 8),
                       "eigan::Conv2d: groups must be 1, is 8; others are not built", std::invalid_argument);
}
