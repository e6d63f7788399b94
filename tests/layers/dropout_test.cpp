#include <doctest/doctest.h>
#include <cmath>
#include <vector>

#include <eigan/layers/dropout.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "support.hpp"

using namespace eigan;

static Matrix<float> masked_ones(const Dropout& layer, Index rows, Index cols, Draw draw) {
  const Matrix<float> x = Matrix<float>::Ones(rows, cols);
  Matrix<float> y(rows, cols);
  layer.forward_train<float>({}, x, y, draw);
  return y;
}

TEST_CASE("Dropout: worked by hand") {
  // A sample's i-th number is 16 bits of its words, the low half first; below 2^16 p the element is dropped.
  const Dropout layer(0.25);
  const Draw draw{Rng(3), 7};
  const Matrix<float> x{{3, 6}, {-9, 12}, {15, 18}};
  Matrix<float> y(3, 2), dx(3, 2);
  layer.forward_train<float>({}, x, y, draw);
  layer.backward_input_train<float>({}, x, y, x, dx, draw);
  for (Index j = 0; j < 2; ++j)
    for (Index i = 0; i < 3; ++i) {
      const std::uint32_t number = draw.rng.word(i / 2, 7 + j) >> (16 * (i % 2)) & 0xFFFF;
      CHECK(y(i, j) == (number < 16384 ? 0 : x(i, j) * (1 / 0.75f)));
    }
  CHECK(dx == y);  // backward draws the same mask
}

TEST_CASE("Dropout: gradients, with the mask of the pass") {
  for (const double p : {0.0, 0.3, 0.9})
    for (const Index features : {1, 5, 64, 131}) {
      const auto report = testing::check_gradients(Dropout(p), {.features = features});
      INFO("p ", p, ", ", features, " features\n", report.text());
      CHECK(report.ok());
    }
}

TEST_CASE("Dropout: drops at the rate p and scales what is left, so that the mean stays") {
  for (const double p : {0.1, 0.3, 0.5, 0.75}) {
    CAPTURE(p);
    const Matrix<float> y = masked_ones(Dropout(p), 201, 500, {Rng(11), 0});
    const double dropped = static_cast<double>((y.array() == 0).count()) / static_cast<double>(y.size());
    CHECK(std::abs(dropped - p) < 4 * std::sqrt(p * (1 - p) / static_cast<double>(y.size())));
    // p is rounded to a multiple of 2^-16, for the mask and for the scale alike.
    CHECK(y.maxCoeff() == static_cast<float>(65536 / (65536 - std::round(p * 65536))));
    CHECK(static_cast<double>(y.maxCoeff()) == doctest::Approx(1 / (1 - p)).epsilon(1e-4));
    CHECK(y.cast<double>().mean() == doctest::Approx(1).epsilon(0.03));
  }
}

TEST_CASE("Dropout: a mask depends on the generator and the sample, not on how the batch is cut") {
  const Dropout layer(0.4);
  const Rng rng(5);
  const Matrix<float> whole = masked_ones(layer, 70, 100, {rng, 0});
  for (const auto& [first, count] : {std::pair<Index, Index>{0, 1}, {1, 31}, {32, 68}}) {
    const Matrix<float> part = masked_ones(layer, 70, count, {rng, first});
    CHECK(part == whole.middleCols(first, count));
  }
  CHECK(masked_ones(layer, 33, 100, {rng, 0}) == whole.topRows(33));
}

TEST_CASE("Dropout: masks of other samples and other generators are other masks") {
  const Dropout layer(0.5);
  const Matrix<float> y = masked_ones(layer, 2000, 3, {Rng(5), 0});
  const Matrix<float> other = masked_ones(layer, 2000, 3, {Rng(5).fold_in(1), 0});
  const auto agree = [](const auto& a, const auto& b) {
    return static_cast<double>((a.array() == b.array()).count()) / 2000;
  };
  CHECK(std::abs(agree(y.col(0), y.col(1)) - 0.5) < 0.05);
  CHECK(std::abs(agree(y.col(0), y.col(2)) - 0.5) < 0.05);
  CHECK(std::abs(agree(y.col(0), other.col(0)) - 0.5) < 0.05);
}

TEST_CASE("Dropout: at inference, and in training with p = 0, y is x") {
  const Matrix<float> x = support::random_matrix<float>(13, 4, 1);
  Matrix<float> y(13, 4), dx(13, 4), train(13, 4);
  Dropout(0.7).forward<float>({}, x, y);
  CHECK(y == x);
  Dropout(0.7).backward_input<float>({}, x, y, x, dx);
  CHECK(dx == x);
  Dropout(0.0).forward_train<float>({}, x, train, {Rng(1), 0});
  CHECK(train == x);
  Matrix<float> place = x;
  Dropout(0.7).forward<float>({}, place, place);
  CHECK(place == x);
}

TEST_CASE("Dropout: PyTorch's p unless one is given; one outside [0, 1) is refused") {
  CHECK(Dropout().p() == 0.5);
  CHECK(Dropout(0.3).spec().text() == "Dropout(p=0.3)");
  CHECK_THROWS_WITH_AS(Dropout(1), "eigan::Dropout: p must be in [0, 1), is 1", std::invalid_argument);
  CHECK_THROWS_AS(Dropout(-0.1), std::invalid_argument);
  CHECK_THROWS_AS(Dropout(std::nan("")), std::invalid_argument);
  // So close to 1 that nothing would be left to scale.
  CHECK_THROWS_AS(Dropout(1 - 1e-6), std::invalid_argument);
  CHECK_NOTHROW(Dropout(1 - 1e-5));
}
