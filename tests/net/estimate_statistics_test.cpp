#include <doctest/doctest.h>
#include <cmath>
#include <Eigen/SVD>
#include <utility>

#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/flatten.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/spectral_norm.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/estimate_statistics.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/residual.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/optim/optimizer.hpp>
#include <eigan/optim/sgd.hpp>

#include "allocations.hpp"
#include "net/own_images.hpp"
#include "support.hpp"

using namespace eigan;

namespace {

/// Mean and unbiased variance of all columns and pixels, channel by channel.
std::pair<Matrix<double>, Matrix<double>> moments(const Matrix<double>& x, Index channels) {
  const Matrix<double> rows = x.reshaped(channels, x.size() / channels);
  const Matrix<double> mean = rows.rowwise().mean();
  const Matrix<double> centred = rows.colwise() - mean.col(0);
  return {mean, centred.rowwise().squaredNorm() / static_cast<double>(rows.cols() - 1)};
}

}  // namespace

TEST_CASE("estimate_statistics: a hand-worked batch") {
  Model<Sequential<BatchNorm1d<2>>, double> model(Rng(1));
  estimate_statistics(model, Matrix<double>{{1, 2, 3}, {5, 5, 8}});
  const auto s = model.state();
  CHECK(s[0] == doctest::Approx(2));
  CHECK(s[1] == doctest::Approx(6));
  CHECK(s[2] == doctest::Approx(1));  // (1 + 0 + 1) / 2
  CHECK(s[3] == doctest::Approx(3));  // (1 + 1 + 4) / 2
  CHECK(s[4] == 1);
}

TEST_CASE("estimate_statistics: inference then gives what a training pass over the same samples gives") {
  using Net = Sequential<Linear<6, 100>, BatchNorm1d<100>, Tanh, Residual<Linear<100, 100>, BatchNorm1d<100>>,
                         Linear<100, 9>, BatchNorm1d<9>>;
  Model<Net, double> model(Rng(7));
  const Index samples = 1000;
  const Matrix<double> x = support::random_matrix<double>(6, samples, 4);
  auto tape = model.tape(samples);
  const Matrix<double> trained = model.forward(tape, x);
  estimate_statistics(model, x);
  // All but the factor of n / (n - 1) in the variance, once for each of the three layers.
  CHECK((model.infer(x) - trained).cwiseAbs().maxCoeff() < 4.0 / samples);
}

TEST_CASE("estimate_statistics: in pieces, on any number of threads, they are those of all samples") {
  // Wide enough that a level of all samples takes more than 64 MiB, so that they go in pieces.
  constexpr Index wide = 40000, samples = 500;
  Model<Sequential<Linear<3, wide>, BatchNorm1d<wide>>, double> model(Rng(1)), shared(Rng(1));
  const Matrix<double> x = support::random_matrix<double>(3, samples, 2);
  estimate_statistics(model, x, Threads{1});
  const ConstView<double> w = model.net().layer<0>().weight(model.params(0));
  const ConstView<double> b = model.net().layer<0>().bias(model.params(0));
  const auto s = std::as_const(model).state();
  for (Index i = 0; i < wide; i += 997) {
    CAPTURE(i);
    const Matrix<double> y = (w.row(i) * x).array() + b(i, 0);
    const auto [mean, variance] = moments(y, 1);
    CHECK(s[static_cast<std::size_t>(i)] == doctest::Approx(mean(0)).epsilon(1e-12));
    CHECK(s[static_cast<std::size_t>(wide + i)] == doctest::Approx(variance(0)).epsilon(1e-12));
  }
  estimate_statistics(shared, x, Threads{3});
  CHECK(support::same_bits<double>(shared.state(), s));
  // A second estimate begins anew.
  estimate_statistics(model, Matrix<double>(x.leftCols(9)));
  estimate_statistics(model, x);
  CHECK(support::same_bits<double>(model.state(), shared.state()));
}

TEST_CASE("estimate_statistics: memory does not grow with the number of samples" *
          doctest::skip(!support::counts_allocations)) {
  Model<Sequential<Linear<1, 200>, BatchNorm1d<200>, Linear<200, 300>>> model(Rng(1));
  const auto peak = [&](Index samples) {
    const Matrix<float> x = support::random_matrix<float>(1, samples, 2);
    return support::peak_heap([&] { estimate_statistics(model, x, Threads{1}); });
  };
  peak(10000);  // a thread keeps what products of that size took
  const std::size_t few = peak(10000), many = peak(80000);
  CHECK(many < few + 1000);
}

TEST_CASE("estimate_statistics: images' channels, over all their pixels") {
  Model<Sequential<Input<2, 4, 6>, own::Pointwise<2, 3>, BatchNorm2d<3>, own::Halve, BatchNorm2d<3>>, double> model(
      Rng(1));
  const Matrix<double> x = support::random_matrix<double>(48, 33, 2);
  estimate_statistics(model, x);
  const Model<Sequential<Input<2, 4, 6>, own::Pointwise<2, 3>>, double> front(Rng(1));
  const auto [mean, variance] = moments(front.infer(x), 3);
  for (Index i = 0; i < 3; ++i) {
    CHECK(model.state()[static_cast<std::size_t>(i)] == doctest::Approx(mean(i)));
    CHECK(model.state()[static_cast<std::size_t>(3 + i)] == doctest::Approx(variance(i)));
  }
}

TEST_CASE("estimate_statistics: dropout in front is off, as at inference") {
  Model<Sequential<Dropout, BatchNorm1d<4>>, double> model(Rng(1));
  const Matrix<double> x = support::random_matrix<double>(4, 50, 2);
  estimate_statistics(model, x);
  const auto [mean, variance] = moments(x, 4);
  for (Index i = 0; i < 4; ++i) {
    CHECK(model.state()[static_cast<std::size_t>(i)] == doctest::Approx(mean(i)));
    CHECK(model.state()[static_cast<std::size_t>(4 + i)] == doctest::Approx(variance(i)));
  }
}

TEST_CASE("estimate_statistics: of a network with several inputs") {
  Model<Sequential<Inputs<Input<2>, Input<1>>, Linear<3, 4>, BatchNorm1d<4>>, double> model(Rng(1));
  const Matrix<double> a = support::random_matrix<double>(2, 50, 2), b = support::random_matrix<double>(1, 50, 3);
  estimate_statistics(model, {a, b});
  Matrix<double> both(3, 50);
  both << a, b;
  Model<Sequential<Input<3>, Linear<3, 4>, BatchNorm1d<4>>, double> same(Rng(0));
  std::copy(model.params().begin(), model.params().end(), same.params().begin());
  estimate_statistics(same, both);
  CHECK(support::same_bits<double>(std::as_const(model).state(), std::as_const(same).state()));
}

TEST_CASE("estimate_statistics: of a single value there is no variance") {
  const Matrix<float> one{{3.0f}, {4.0f}};
  Model<Sequential<BatchNorm1d<2>>> vectors(Rng(1));
  CHECK_THROWS_WITH_AS(
      estimate_statistics(vectors, one),
      "eigan::estimate_statistics: layer 0, BatchNorm1d(num_features=2, eps=1e-05): expected more than "
      "1 value of each channel in training, found a batch of 1",
      std::invalid_argument);
  Model<Sequential<Input<1, 2, 1>, BatchNorm2d<1>>> image(Rng(1));
  CHECK_NOTHROW(estimate_statistics(image, one));
}

TEST_CASE("estimate_statistics: wants samples of the network's size") {
  Model<Sequential<BatchNorm1d<2>>> model(Rng(1));
  CHECK_THROWS_WITH_AS(estimate_statistics(model, Matrix<float>(3, 5)),
                       "eigan::Model: a sample of the input must have 2 features, has 3", std::invalid_argument);
  CHECK_THROWS_WITH_AS(estimate_statistics(model, Matrix<float>(2, 0)),
                       "eigan::estimate_statistics: needs at least one sample", std::invalid_argument);
  CHECK(model.state()[4] == 0);
}

TEST_CASE("update_statistics: running averages as PyTorch keeps them") {
  Model<Sequential<Linear<3, 2>, BatchNorm1d<2>, Tanh>, double> model(Rng(1));
  auto tape = model.tape(9);
  double mean[2] = {0, 0}, variance[2] = {1, 1};
  for (std::uint64_t step = 0; step < 4; ++step) {
    const Matrix<double> x = support::random_matrix<double>(3, 9 - static_cast<Index>(step), step);
    model.forward(tape, x);
    update_statistics(model, tape, 0.1);
    const auto [m, v] = moments(tape.activation(1), 2);
    for (int i = 0; i < 2; ++i) {
      mean[i] = 0.9 * mean[i] + 0.1 * m(i);
      variance[i] = 0.9 * variance[i] + 0.1 * v(i);
      CHECK(model.state()[static_cast<std::size_t>(i)] == doctest::Approx(mean[i]));
      CHECK(model.state()[static_cast<std::size_t>(2 + i)] == doctest::Approx(variance[i]));
    }
    CHECK(model.state()[4] == static_cast<double>(step + 1));
  }
}

TEST_CASE("update_statistics: a spectral norm follows the weights by one step of the power method") {
  using Net = Sequential<Input<3, 5, 5>, Residual<SpectralNorm<Conv2d<3, 3, 3, 1, 1>>>, Flatten, BatchNorm1d<75>,
                         SpectralNorm<Linear<75, 6>>>;
  Model<Net, double> model(Rng(1));
  auto tape = model.tape(4);
  const Matrix<double> x = support::random_matrix<double>(75, 4, 2);
  const auto conv = SpectralNorm<Conv2d<3, 3, 3, 1, 1>>().at({3, 5, 5});
  const auto dense = SpectralNorm<Linear<75, 6>>().at({75});
  const auto state = [&](Index first, Index count) {
    return std::as_const(model).state().subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
  };
  const Index of_conv = conv.state_size(), of_dense = dense.state_size(), last = model.state_size() - of_dense;
  auto u_conv = support::copy_of(state(0, of_conv)), u_dense = support::copy_of(state(last, of_dense));
  for (int step = 0; step < 3; ++step) {
    model.forward(tape, x);
    CHECK(support::same_bits<double>(state(0, of_conv), u_conv));  // a pass alone changes nothing
    update_statistics(model, tape, 0.1);
    conv.update_state<double>(std::as_const(model).params(0), u_conv);
    dense.update_state<double>(std::as_const(model).params(3), u_dense);
    CHECK(support::same_bits<double>(state(0, of_conv), u_conv));
    CHECK(support::same_bits<double>(state(last, of_dense), u_dense));
  }
  estimate_statistics(model, x);  // knows of no batch here
  CHECK(support::same_bits<double>(state(0, of_conv), u_conv));
}

TEST_CASE("update_statistics: in training sigma is the largest singular value of weights that move") {
  Model<Sequential<SpectralNorm<Linear<6, 5>>, Tanh, SpectralNorm<Linear<5, 4>>>, double> model(Rng(1));
  auto tape = model.tape(8);
  Buffer<double> gradient = model.zeros();
  SGD<double> sgd(gradient.size(), {.lr = 0.02});
  const Matrix<double> x = support::random_matrix<double>(6, 8, 2);
  const Matrix<double> target = support::random_matrix<double>(4, 8, 3, -0.1, 0.1);  // within reach: weights settle
  const auto before = support::copy_of<double>(model.params());
  const auto steps = [&](int count) {
    for (int step = 0; step < count; ++step) {
      tape.output_gradient() = model.forward(tape, x) - target;
      backward_and_step(model, tape, sgd, gradient);
      update_statistics(model, tape);
    }
  };
  const auto stretch = [&](std::size_t layer, Index rows, Index cols) {  // of W / sigma, which should be 1
    const Matrix<double> w = ConstView<double>(model.params(layer).data(), rows, cols);
    const auto s = std::as_const(model).state().subspan(layer == 0 ? 0 : 11);
    const ConstView<double> u(s.data(), rows, 1), v(s.data() + rows, cols, 1);
    const double sigma = (u.transpose() * w * v)(0, 0);
    return Eigen::JacobiSVD<Matrix<double>>(w).singularValues()(0) / sigma;
  };
  steps(1000);
  CHECK_FALSE(support::same_bits<double>(std::as_const(model).params(), before));
  CHECK(stretch(0, 5, 6) == doctest::Approx(1).epsilon(1e-3));
  CHECK(stretch(2, 4, 5) == doctest::Approx(1).epsilon(1e-3));
}

TEST_CASE("update_statistics: momentum 1 assigns, and inference follows") {
  Model<Sequential<BatchNorm1d<3>>, double> model(Rng(1));
  const Matrix<double> x = support::random_matrix<double>(3, 400, 2);
  auto tape = model.tape(400);
  const Matrix<double> trained = model.forward(tape, x);
  update_statistics(model, tape, 1);
  CHECK((model.infer(x) - trained).cwiseAbs().maxCoeff() < 0.01);
}

TEST_CASE("update_statistics: a pass alone changes nothing, and what does not fit is refused") {
  Model<Sequential<BatchNorm1d<3>>> model(Rng(1));
  const Model<Sequential<BatchNorm1d<2>>> other(Rng(1));
  const Matrix<float> x = support::random_matrix<float>(3, 4, 2);
  const auto before = support::copy_of<float>(model.state());
  auto tape = model.tape(4), foreign = other.tape(4);
  CHECK_THROWS_WITH_AS(update_statistics(model, tape), "eigan::update_statistics: no forward pass on this tape",
                       std::invalid_argument);
  model.forward(tape, x);
  CHECK_THROWS_WITH_AS(update_statistics(model, foreign),
                       "eigan::update_statistics: this tape was made for a network of other sizes",
                       std::invalid_argument);
  for (const double momentum : {0.0, 1.5, -0.1, std::nan("")})
    CHECK_THROWS_AS(update_statistics(model, tape, momentum), std::invalid_argument);
  CHECK_THROWS_WITH_AS(update_statistics(model, tape, 0), "eigan::update_statistics: momentum must be in (0, 1], is 0",
                       std::invalid_argument);
  CHECK(support::same_bits<float>(model.state(), before));
  update_statistics(model, tape);
  CHECK_FALSE(support::same_bits<float>(model.state(), before));
}

TEST_CASE("inference of a batch normalisation whose statistics nobody set says what to call") {
  Model<Sequential<Linear<3, 2>, BatchNorm1d<2>>> model(Rng(1));
  const Matrix<float> x = support::random_matrix<float>(3, 4, 2);
  Matrix<float> y(2, 4);
  auto scratch = model.scratch();
  const char* const message =
      "eigan::BatchNorm1d: inference with statistics that nobody has set; call estimate_statistics(model, samples) "
      "after training, or update_statistics(model, tape, momentum) behind each training pass";
  CHECK_THROWS_WITH_AS(model.infer(x), message, std::invalid_argument);
  CHECK_THROWS_WITH_AS(model.infer(x, y, scratch), message, std::invalid_argument);
  auto copy = model.clone();
  estimate_statistics(model, x);
  CHECK_NOTHROW(model.infer(x));
  CHECK_THROWS_AS(copy.infer(x), std::invalid_argument);
}
