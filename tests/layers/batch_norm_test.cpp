#include <doctest/doctest.h>
#include <cmath>
#include <string>
#include <vector>

#include <eigan/layers/batch_norm.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "support.hpp"

using namespace eigan;

namespace {

/// A layer with parameters and statistics, whose numbers for inference are ready.
template <class T>
struct Placed {
  Placed(const placed::BatchNorm& placed, std::vector<T> values, std::vector<T> statistics)
      : layer(placed), params(std::move(values)), state(std::move(statistics)) {}
  Prepared<T> p() {
    ready.resize(static_cast<std::size_t>(layer.prepared_size()));
    layer.template prepare<T>(params, state, ready, Phase::inference);
    return {params, ready};
  }
  Prepared<T> training() const { return {params, {}}; }

  placed::BatchNorm layer;
  std::vector<T> params, state, ready;
};

}  // namespace

TEST_CASE("BatchNorm1d: gradients over the whole batch") {
  for (const Index features : {1, 5, 16, 64, 65, 130}) {
    const auto report = testing::check_gradients(BatchNorm1d<>(features, 0.1), {.batches = {1, 2, 7}});
    INFO(features, " features\n", report.text());
    CHECK(report.ok());
  }
}

TEST_CASE("BatchNorm2d: gradients over the whole batch and all pixels") {
  for (const Shape shape : {Shape{1, 4, 3}, Shape{3, 2, 5}, Shape{17, 1, 3}, Shape{70, 2, 2}, Shape{6}}) {
    const auto report =
        testing::check_gradients(BatchNorm2d<>(shape.channels, 0.1), {.shape = shape, .batches = {1, 3}});
    INFO(shape.channels, " x ", shape.height, " x ", shape.width, "\n", report.text());
    CHECK(report.ok());
  }
}

TEST_CASE("BatchNorm1d: a hand-worked batch") {
  // Feature 0: mean 2, variance 1 + 1 over 2 = 1. Feature 1: mean 0, variance 9. eps makes the variances 4 and 12.
  const Placed<double> placed(BatchNorm1d<2>(2, 3), {2, 1, 10, 20}, {});
  const Matrix<double> x{{1, 3}, {3, -3}};
  Matrix<double> y(2, 2);
  placed.layer.forward_parts<double>(placed.training(), x, y, 0, 1);
  const double half = std::sqrt(3.0) / 2;  // 3 / sqrt(12)
  CHECK(y(0, 0) == doctest::Approx(10 - 2 * 0.5));
  CHECK(y(0, 1) == doctest::Approx(10 + 2 * 0.5));
  CHECK(y(1, 0) == doctest::Approx(20 + half));
  CHECK(y(1, 1) == doctest::Approx(20 - half));

  // dy = (1, 0): mean 1/2, mean of dy x^ = -1/4. dx = gamma / 2 (dy - 1/2 - x^ (-1/4)) with x^ = -+1/2.
  const Matrix<double> dy{{1, 0}, {0, 0}};
  Matrix<double> dx(2, 2);
  placed.layer.backward_input_parts<double>(placed.training(), x, y, dy, dx, 0, 1);
  CHECK(dx(0, 0) == doctest::Approx(0.5 - 0.125));
  CHECK(dx(0, 1) == doctest::Approx(-0.5 + 0.125));
  CHECK(dx.row(1).isZero());

  std::vector<double> dp(4, 100);
  placed.layer.backward_params<double>(placed.training(), x, y, dy, dp);
  CHECK(dp[0] == doctest::Approx(100 - 0.5));
  CHECK(dp[2] == doctest::Approx(101));
  for (const std::size_t untouched : {1u, 3u}) CHECK(dp[untouched] == 100);
}

TEST_CASE("BatchNorm2d: the statistics are those of all pixels of all samples") {
  // One channel of 1 x 2 pixels, two samples: 1, 3, 5, 7. Mean 4, variance 5.
  const Placed<double> placed(BatchNorm2d<1>(1, 4).at({1, 1, 2}), {3, -1}, {});
  const Matrix<double> x{{1, 5}, {3, 7}};
  Matrix<double> y(2, 2);
  placed.layer.forward_parts<double>(placed.training(), x, y, 0, 1);
  CHECK(y.isApprox(Matrix<double>{{-4, 0}, {-2, 2}}, 1e-12));  // 3 (x - 4) / sqrt(5 + 4) - 1
}

TEST_CASE("BatchNorm1d: at inference an affine map of the kept statistics") {
  // gamma, beta; running_mean, running_var, num_batches_tracked
  Placed<double> placed(BatchNorm1d<>(3, 0.5), {1, 2, -1, 0, 1, 5}, {10, 20, 30, 0.5, 3.5, 8.5, 1});
  const Matrix<double> x{{11, 8}, {20, 24}, {33, 30}};
  Matrix<double> y(3, 2), dx(3, 2);
  placed.layer.forward<double>(placed.p(), x, y);
  CHECK(y.isApprox(Matrix<double>{{1, -2}, {1, 5}, {4, 5}}, 1e-12));
  const Matrix<double> dy = Matrix<double>::Ones(3, 2);
  placed.layer.backward_input<double>(placed.p(), x, y, dy, dx);
  CHECK(dx.isApprox(Matrix<double>{{1, 1}, {1, 1}, {-1.0 / 3, -1.0 / 3}}, 1e-12));
}

TEST_CASE("BatchNorm1d: starts as torch.nn.BatchNorm1d does, the statistics beside the parameters") {
  const BatchNorm1d<3> layer;
  std::vector<float> p(6), s(7, 9);
  layer.init<float>(p, Rng(1));
  layer.init_state<float>(s);
  CHECK(p == std::vector<float>{1, 1, 1, 0, 0, 0});
  CHECK(s == std::vector<float>{0, 0, 0, 1, 1, 1, 0});
  CHECK(layer.param_size() == 6);
  CHECK(layer.state_size() == 7);
  const auto states = layer.states();
  REQUIRE(states.size() == 3);
  CHECK(states[1].name == "running_var");
  CHECK(states[1].offset == 3);
  CHECK(states[2].name == "num_batches_tracked");
  CHECK(states[2].integer);
  CHECK(states[2].file_shape().empty());
}

TEST_CASE("BatchNorm2d: update_statistics averages as PyTorch does, momentum 1 takes the batch's") {
  const auto layer = BatchNorm2d<>(2).at({2, 2, 1});
  std::vector<double> s(5);
  layer.init_state<double>(s);
  const Matrix<double> x{{1, 5}, {0, 0}, {3, 7}, {4, 4}};  // channel 0: 1 3 5 7, channel 1: 0 4 0 4
  layer.update_statistics<double>(s, x, 0.25);
  const double var0 = 20.0 / 3, var1 = 16.0 / 3;  // over the number less one
  CHECK(s[0] == doctest::Approx(1));
  CHECK(s[1] == doctest::Approx(0.5));
  CHECK(s[2] == doctest::Approx(0.75 + 0.25 * var0));
  CHECK(s[3] == doctest::Approx(0.75 + 0.25 * var1));
  CHECK(s[4] == 1);
  s[0] = std::nan("");
  layer.update_statistics<double>(s, x, 1);
  CHECK(s[0] == doctest::Approx(4));
  CHECK(s[2] == doctest::Approx(var0));
  CHECK(s[4] == 2);
}

TEST_CASE("BatchNorm2d: statistics of pieces come together to those of all") {
  const Shape shape{3, 4, 2};
  const auto layer = BatchNorm2d<3>().at(shape);
  const Matrix<double> x = support::random_matrix<double>(shape.size(), 11, 1);
  std::vector<double> all(7), pieces(7);
  layer.init_state<double>(all);
  layer.init_state<double>(pieces);
  layer.update_statistics<double>(all, x, 1);
  for (Index first = 0; first < 11; first += 4)
    layer.merge_statistics<double>(pieces, ConstView<double>(x).columns(first, std::min<Index>(4, 11 - first)), first);
  for (std::size_t i = 0; i < 7; ++i) CHECK(pieces[i] == doctest::Approx(all[i]).epsilon(1e-12));
}

TEST_CASE("BatchNorm2d: inference with statistics that nobody has set says what to call") {
  Placed<float> placed(BatchNorm2d<2>().at({2, 3, 3}), {1, 1, 0, 0}, {0, 0, 1, 1, 0});
  CHECK_THROWS_WITH_AS(placed.p(),
                       "eigan::BatchNorm2d: inference with statistics that nobody has set; call "
                       "estimate_statistics(model, samples) after training, or update_statistics(model, tape, "
                       "momentum) behind each training pass",
                       std::invalid_argument);
  std::vector<float> ready(4);
  placed.layer.prepare<float>(placed.params, placed.state, ready, Phase::training);  // needs none
  placed.state[4] = 1;
  CHECK_NOTHROW(placed.p());
}

TEST_CASE("BatchNorm2d: statistics without a count, as a file may have them, are statistics") {
  const BatchNorm2d<2> layer;
  const auto at = layer.at({2, 3, 3});
  CHECK_NOTHROW(Placed<float>(at, {1, 1, 0, 0}, {0, 2, 1, 1, 0}).p());
  CHECK_NOTHROW(Placed<float>(at, {1, 1, 0, 0}, {0, 0, 1, 3, 0}).p());
  CHECK_NOTHROW(Placed<float>(at, {1, 1, 0, 0}, {0, 0, 3, 1, 0}).p());
  CHECK_NOTHROW(Placed<float>(at, {1, 1, 0, 0}, {2, 0, 1, 1, 0}).p());
  // And a count that has come to float's end stays there.
  Placed<float> counted(at, {1, 1, 0, 0}, {0, 0, 1, 1, 16777216});
  const Matrix<float> x = support::random_matrix<float>(18, 2, 3);
  counted.layer.update_statistics<float>(counted.state, x, 0.1);
  CHECK(counted.state[4] == 16777216);
  CHECK_NOTHROW(counted.p());
}

TEST_CASE("BatchNorm2d: a mean of 1e4 costs no digits, in training and at inference") {
  constexpr Index batch = 32;
  const Shape shape{5, 7, 6};
  const auto layer = BatchNorm2d<>(shape.channels).at(shape);
  Matrix<float> x = support::random_matrix<float>(shape.size(), batch, 1, 0, 1);
  x = (x.array() * 256).floor() / 256;  // so that 1e4 + x is exact
  const Matrix<float> far = x.array() + 1e4f;
  const Matrix<float> dy = support::random_matrix<float>(shape.size(), batch, 2);
  const std::vector<float> p{1, 2, 3, 4, 5, 0, 0, 0, 0, 0};
  const auto results = [&](const Matrix<float>& input) {
    Matrix<float> all(shape.size(), 3 * batch);
    std::vector<float> s(11), q(10);
    layer.init_state<float>(s);
    layer.update_statistics<float>(s, input, 1);
    layer.prepare<float>(p, s, q, Phase::inference);
    const auto columns = [&](Index i) { return View<float>(all).columns(i * batch, batch); };
    layer.forward_parts<float>({p, {}}, input, columns(0), 0, layer.part_count());
    layer.backward_input_parts<float>({p, {}}, input, columns(0), dy, columns(1), 0, layer.part_count());
    layer.forward<float>({p, q}, input, columns(2));
    std::vector<float> dp(10);
    layer.backward_params<float>({p, {}}, input, columns(0), dy, dp);
    for (std::size_t i = 0; i < 10; ++i) all(static_cast<Index>(i), 0) += dp[i] * 1e-3f;
    return all;
  };
  const Matrix<float> difference = results(far) - results(x);
  CHECK(difference.leftCols(2 * batch).cwiseAbs().maxCoeff() < 2e-5f);
  // The running mean is one number; half a unit in its last place is 5e-4, and 1 / deviation some 3.5.
  CHECK(difference.rightCols(batch).cwiseAbs().maxCoeff() < 5 * 5e-4f * 3.6f);
}

TEST_CASE("BatchNorm2d: the bits do not depend on how parts are shared, nor on padding") {
  const Shape shape{83, 5, 4};
  const auto layer = BatchNorm2d<>(shape.channels).at(shape);
  const std::vector<float> p = support::random_values<float>(166, 1);
  const Matrix<float> x = support::random_matrix<float>(shape.size(), 9, 2),
                      dy = support::random_matrix<float>(shape.size(), 9, 3);
  Matrix<float> padded = Matrix<float>::Constant(shape.size() + 12, 9, std::nanf(""));
  padded.topRows(shape.size()) = x;
  const ConstView<float> views[] = {x, {padded.data(), shape.size(), 9, padded.rows()}};
  Matrix<float> first;
  for (const Index share : {6, 1, 2, 4, 5})
    for (const ConstView<float>& from : views) {
      Matrix<float> all(shape.size(), 18);
      const auto columns = [&](Index i) { return View<float>(all).columns(i * 9, 9); };
      for (Index part = 0; part < layer.part_count(); part += share) {
        const Index end = std::min(part + share, layer.part_count());
        layer.forward_parts<float>({p, {}}, from, columns(0), part, end);
        layer.backward_input_parts<float>({p, {}}, from, columns(0), dy, columns(1), part, end);
      }
      if (first.size() == 0) first = all;
      CHECK(support::same_bits(first, all));
    }
}

TEST_CASE("BatchNorm1d: a batch of one gives beta, finite") {
  const Placed<float> placed(BatchNorm1d<2>(), {2, 3, 5, 7}, {});
  const Matrix<float> x{{11}, {-4}};
  Matrix<float> y(2, 1);
  placed.layer.forward_parts<float>(placed.training(), x, y, 0, 1);
  CHECK(y == Matrix<float>{{5}, {7}});
}

TEST_CASE("BatchNorm1d, BatchNorm2d: what they say of themselves, and what they take") {
  CHECK(BatchNorm1d<8>().spec().text() == "BatchNorm1d(num_features=8, eps=1e-05)");
  CHECK(BatchNorm1d<8>().spec().type == "::eigan::BatchNorm1d<8>");
  CHECK(BatchNorm2d<>(64, 0.25).spec().text() == "BatchNorm2d(num_features=64, eps=0.25)");
  CHECK(BatchNorm2d<>(64, 0.25).at({64, 2, 2}).spec() == BatchNorm2d<>(64, 0.25).spec());
  static_assert(BatchNorm2d<3>{}.output_shape({3, 4, 5}) == Shape{3, 4, 5});
  static_assert(!BatchNorm2d<3>{}.output_shape({4, 4, 5}) && !BatchNorm1d<3>{}.output_shape({3, 4, 5}));
  static_assert(BatchNorm1d<3>{}.output_shape({3}) == Shape{3} && !BatchNorm1d<3>{}.output_shape({4}));
  CHECK(BatchNorm2d<3>().expects() == "3 channels");
  CHECK(BatchNorm1d<3>().expects() == "3 features");
}

TEST_CASE("BatchNorm1d, BatchNorm2d: sizes and eps out of range are refused") {
  CHECK_THROWS_WITH_AS((BatchNorm1d<4>(5)),
                       "eigan::BatchNorm1d<4>: cannot have 5 features, expected 1 to 2^31 - 1 and what the type states",
                       std::invalid_argument);
  CHECK_THROWS_AS(BatchNorm1d<>(0), std::invalid_argument);
  CHECK_THROWS_WITH_AS((BatchNorm2d<4>(5)),
                       "eigan::BatchNorm2d<4>: cannot have 5 channels, expected 1 to 2^31 - 1 and what the type states",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(BatchNorm2d<>(3, 0), "eigan::BatchNorm2d: eps must be > 0, is 0", std::invalid_argument);
  CHECK_THROWS_AS(BatchNorm1d<>(3, std::nan("")), std::invalid_argument);
}
