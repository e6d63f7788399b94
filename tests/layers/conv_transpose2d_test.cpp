#include <doctest/doctest.h>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <eigan/layers/conv2d.hpp>
#include <eigan/layers/conv_transpose2d.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "support.hpp"

using namespace eigan;

namespace {

struct Case {
  ConvTranspose2d<> layer;
  Shape shape;
};

/// A pass's prepared numbers.
template <class T>
std::vector<T> ready(const auto& layer, const std::vector<T>& p) {
  std::vector<T> q(static_cast<std::size_t>(layer.prepared_size()));
  layer.template prepare<T>(p, {}, q, Phase::training);
  return q;
}

}  // namespace

TEST_CASE("ConvTranspose2d: gradients and tangents") {
  const Case cases[] = {
      {{1, 1, 1}, {1, 1, 1}},
      {{5, 1, 3, 1, 1}, {5, 4, 3}},
      {{7, 3, 4, 2, 1}, {7, 3, 4}},
      {{3, 2, 3, 3, 0, 2}, {3, 2, 3}},
      {{4, 3, 5, 2, 2, 1}, {4, 2, 3}},
      {{5, 16, 3, 1, 1}, {5, 3, 4}},
      {{20, 17, 4, 2, 1}, {20, 2, 3}},
      {{70, 16, 1}, {70, 2, 3}},
      {{3, 70, 3, 2, 1, 1}, {3, 2, 2}},
      {{2, 20, 7, 1, 3}, {2, 3, 3}},
      {{3, 4, 3, 1, 1, 0, false}, {3, 3, 5}},
      {{3, 16, 3, 2, 1, 0, false}, {3, 3, 2}},
      {{6, 20, 4}, {6, 1, 1}},
  };
  for (const Case& c : cases) {
    const auto report = testing::check_gradients(c.layer, {.shape = c.shape, .batches = {1, 3}, .cap = 150});
    INFO(c.layer.spec().text(), " of ", c.shape.height, " x ", c.shape.width, "\n", report.text());
    CHECK(report.ok());
  }
}

TEST_CASE("ConvTranspose2d: a hand-worked image") {
  // One channel, pixels 1 2, kernel 2 x 2 = 1 10 / 100 1000, stride 1, b = 0.5.
  const auto layer = ConvTranspose2d<1, 1, 2>().at({1, 1, 2});
  const std::vector<float> p{1, 10, 100, 1000, 0.5f}, q = ready(layer, p);
  const Matrix<float> x{{1}, {2}};
  Matrix<float> y(6, 1), dx(2, 1);
  layer.forward<float>({p, q}, x, y);
  CHECK(y == Matrix<float>{{1.5f}, {12.5f}, {20.5f}, {100.5f}, {1200.5f}, {2000.5f}});
  const Matrix<float> dy{{1}, {2}, {3}, {4}, {5}, {6}};
  layer.backward_input<float>({p, q}, x, y, dy, dx);
  CHECK(dx == Matrix<float>{{5421}, {6532}});
  std::vector<float> dp(5, 1000);
  layer.backward_params<float>({p, q}, x, y, dy, dp);
  CHECK(dp == std::vector<float>{1005, 1008, 1014, 1017, 1021});
}

TEST_CASE(
    "ConvTranspose2d: the transposed map of Conv2d, <Conv2d x, y> = <x, ConvTranspose2d y>, with one file's weight") {
  struct Pair {
    Index image, features, kernel, stride, padding, output_padding, height, width;  // of the larger image
  };
  for (const Pair c : {Pair{3, 20, 4, 2, 1, 0, 8, 6}, Pair{20, 18, 3, 2, 1, 1, 6, 8}, Pair{18, 5, 3, 1, 0, 0, 5, 4}}) {
    const auto down =
        Conv2d<>(c.image, c.features, c.kernel, c.stride, c.padding, false).at({c.image, c.height, c.width});
    const Shape small =
        Conv2d<>(c.image, c.features, c.kernel, c.stride, c.padding).output_shape({c.image, c.height, c.width});
    const auto up =
        ConvTranspose2d<>(c.features, c.image, c.kernel, c.stride, c.padding, c.output_padding, false).at(small);
    REQUIRE(up.output_size() == down.input_size());
    // The same numbers in the order of files: [features, image, kernel, kernel] for both.
    const auto values = support::random_values<double>(static_cast<std::size_t>(down.param_size()), 1);
    const auto in_file_order = [&](const Parameter& tensor) {
      std::vector<double> p(values.size());
      std::size_t i = 0;
      tensor.for_each_in_file_order([&](Index place) { p[static_cast<std::size_t>(place)] = values[i++]; });
      return p;
    };
    CHECK(up.parameters()[0].file_shape() == down.parameters()[0].file_shape());
    const std::vector<double> w = in_file_order(down.parameters()[0]), wt = in_file_order(up.parameters()[0]);
    const Matrix<double> x = support::random_matrix<double>(down.input_size(), 2, 2),
                         y = support::random_matrix<double>(down.output_size(), 2, 3);
    Matrix<double> of_x(down.output_size(), 2), of_y(down.input_size(), 2);
    down.forward<double>({w, {}}, x, of_x);
    up.forward<double>({wt, {}}, y, of_y);
    CHECK(of_x.cwiseProduct(y).sum() == doctest::Approx(of_y.cwiseProduct(x).sum()).epsilon(1e-12));
  }
}

TEST_CASE("ConvTranspose2d: float and double agree, and the bits do not depend on how rows and blocks are shared") {
  const Case cases[] = {{{20, 3, 4, 2, 1}, {20, 7, 5}}, {{70, 32, 3, 1, 1}, {70, 9, 7}}};
  for (const Case& c : cases) {
    const auto layer = c.layer.at(c.shape);
    const auto pd = support::random_values<double>(static_cast<std::size_t>(layer.param_size()), 1, -1, 1);
    const std::vector<float> p(pd.begin(), pd.end()), q = ready(layer, p);
    const Matrix<float> x = support::random_matrix<float>(layer.input_size(), 5, 2),
                        dy = support::random_matrix<float>(layer.output_size(), 5, 3);
    Matrix<float> y(layer.output_size(), 5), dx(layer.input_size(), 5);
    layer.forward<float>({p, q}, x, y);
    layer.backward_input<float>({p, q}, x, y, dy, dx);
    std::vector<float> dp(p.size());
    layer.backward_params<float>({p, q}, x, y, dy, dp);

    const std::vector<double> exact(p.begin(), p.end());
    const Matrix<double> xd = x.cast<double>(), dyd = dy.cast<double>();
    Matrix<double> yd(layer.output_size(), 5);
    layer.forward<double>({exact, {}}, xd, yd);
    CHECK((y.cast<double>() - yd).cwiseAbs().maxCoeff() < 2e-4);
    std::vector<double> dpd(p.size());
    layer.backward_params<double>({exact, {}}, xd, yd, dyd, dpd);
    double worst = 0;
    for (std::size_t i = 0; i < dp.size(); ++i) worst = std::max(worst, std::abs(dpd[i] - static_cast<double>(dp[i])));
    CHECK(worst < 1e-3);

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

TEST_CASE("ConvTranspose2d: starts as torch.nn.ConvTranspose2d does") {
  // PyTorch takes the second extent of [in, out, kernel, kernel] for the fan in: 4 x 5 x 5 = 100.
  const auto layer = ConvTranspose2d<50, 4, 5>().at({50, 1, 1});
  std::vector<float> p(static_cast<std::size_t>(layer.param_size()));
  layer.init<float>(p, Rng(3));
  const Eigen::Map<const Eigen::ArrayXf> w(p.data(), 5000), b(p.data() + 5000, 4);
  CHECK(w.maxCoeff() < 0.1f);
  CHECK(w.maxCoeff() > 0.0999f);
  CHECK(std::abs(w.mean()) < 0.002f);
  CHECK(b.abs().maxCoeff() < 0.1f);
  CHECK(b.abs().maxCoeff() > 0.01f);
}

TEST_CASE("ConvTranspose2d: shapes, names, and what is refused") {
  static_assert(ConvTranspose2d<64, 3, 4, 2, 1>{}.output_shape({64, 8, 6}) == Shape{3, 16, 12});
  static_assert(ConvTranspose2d<64, 3, 3, 2, 1, 1>{}.output_shape({64, 8, 6}) == Shape{3, 16, 12});
  static_assert(ConvTranspose2d<100, 64, 7>{}.output_shape({100}) == Shape{64, 7, 7});
  static_assert(!ConvTranspose2d<64, 3, 4>{}.output_shape({63, 8, 6}) &&
                !ConvTranspose2d<4, 3, 2, 1, 1>{}.output_shape({4, 1, 2}));
  constexpr Index most = std::numeric_limits<Index>::max();
  static_assert(!fits_memory(ConvTranspose2d<1, 1, 1, 2>{}.output_shape({1, most / 2 + 2, 1})));
  static_assert(!ConvTranspose2d<1, 1, 1, 1, most_size>{}.output_shape({1, 5, 5}));
  CHECK(ConvTranspose2d<64, 3, 4, 2, 1>().expects() == "64 channels");
  CHECK(ConvTranspose2d<4, 3, 2, 1, 1>().expects() == "4 channels, at least 2 x 2 pixels");
  CHECK(ConvTranspose2d<4, 3, 2, 1, 1>().spec().text() ==
        "ConvTranspose2d(in_channels=4, out_channels=3, kernel_size=2, stride=1, padding=1, output_padding=0, bias=1)");
  CHECK(ConvTranspose2d<>(64, 3, 3, 2, 1, 1, false).spec() ==
        ConvTranspose2d<64, 3, 3, 2, 1, 1>({.bias = false}).spec());
  CHECK(ConvTranspose2d<>(64, 3, 3, 2, 1, 1).spec().type == "::eigan::ConvTranspose2d<64, 3, 3, 2, 1, 1>");
  CHECK_THROWS_WITH_AS(ConvTranspose2d<>(3, 8, 4, 2, 1, 2),
                       "eigan::ConvTranspose2d: cannot have 3 to 8 channels, kernel_size 4, stride 2, padding 1, "
                       "output_padding 2; expected channels, kernel_size and stride of at least 1, a padding of at "
                       "least 0, output_padding below stride, fewer than 2^40 weights",
                       std::invalid_argument);
  CHECK_THROWS_AS((ConvTranspose2d<3, 8, 3>(3, 8, 3, 2)), std::invalid_argument);
}
