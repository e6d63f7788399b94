#include <doctest/doctest.h>
#include <algorithm>
#include <cmath>
#include <string>

#include <eigan/layers/dropout.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/losses/mse.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

namespace {

using P = std::span<const double>;
using C = ConstView<double>;
using V = View<double>;

/// Whether a report names this fault. Other lines may follow from it.
bool reports(const testing::Report& report, const std::string& fault) {
  INFO("expected: ", fault, "\n", report.text());
  const bool named = std::any_of(report.failures().begin(), report.failures().end(),
                                 [&](const std::string& line) { return line.find(fault) != std::string::npos; });
  CHECK(named);
  return named && !report.ok();
}

// ---------------------------------------------------------------- layers that are wrong in one way each

/// y = x^3, right: each fault below changes one thing.
struct Cube {
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_y = false;
  void forward(P, C x, V y) const { y = x.array().cube().matrix(); }
  void backward_input(P, C x, C, C dy, V dx) const { dx = 3 * x.array().square() * dy.array(); }
};

struct WrongSign : Cube {
  void backward_input(P, C x, C, C dy, V dx) const { dx = -3 * x.array().square() * dy.array(); }
};
struct WrongFactor : Cube {
  void backward_input(P, C x, C, C dy, V dx) const { dx = 3.0001 * x.array().square() * dy.array(); }
};
struct AddsToDx : Cube {
  void backward_input(P, C x, C, C dy, V dx) const { dx.array() += 3 * x.array().square() * dy.array(); }
};
struct LeavesTheLastRow : Cube {
  void backward_input(P, C x, C, C dy, V dx) const {
    const Index n = dx.rows() - 1;
    dx.topRows(n) = 3 * x.topRows(n).array().square() * dy.topRows(n).array();
  }
};
struct LeavesTheLastSample : Cube {
  void backward_input(P, C x, C, C dy, V dx) const {
    const Index n = std::max<Index>(1, dx.cols() - 1);
    dx.leftCols(n) = 3 * x.leftCols(n).array().square() * dy.leftCols(n).array();
  }
};
struct WritesBehindDx : Cube {
  void backward_input(P p, C x, C y, C dy, V dx) const {
    Cube::backward_input(p, x, y, dy, dx);
    dx.data()[dx.rows()] = 0;
  }
};
struct WritesBehindY : Cube {
  void forward(P p, C x, V y) const {
    Cube::forward(p, x, y);
    y.data()[y.rows()] = 0;
  }
};
struct ChangesItsInput : Cube {
  void forward(P p, C x, V y) const {
    Cube::forward(p, x, y);
    const_cast<double*>(x.data())[0] += 1;  // NOLINT(cppcoreguidelines-pro-type-const-cast): that is the fault
  }
};
struct ChangesDy : Cube {
  void backward_input(P p, C x, C y, C dy, V dx) const {
    Cube::backward_input(p, x, y, dy, dx);
    if (dx.data() != dy.data())
      const_cast<double*>(dy.data())[0] += 1;  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  }
};
struct LiesAboutReadingX : Cube {
  static constexpr bool backward_reads_x = false;
};
struct ReadsY : Cube {
  void backward_input(P, C, C y, C dy, V dx) const { dx = 3 * y.array().abs().pow(2.0 / 3) * dy.array(); }
};
struct NotFinite : Cube {
  void forward(P, C x, V y) const { y = x.array().sqrt().matrix(); }
};
struct ForwardNotInPlace : Cube {
  void forward(P, C x, V y) const {
    y.setZero();
    y.array() += x.array().cube();
  }
};
struct BackwardNotInPlace : Cube {
  void backward_input(P, C x, C, C dy, V dx) const {
    dx = 3 * x.array().square();
    dx.array() *= dy.array();
  }
};
struct Forgetful : Cube {
  mutable double calls = 0;
  void backward_input(P p, C x, C y, C dy, V dx) const {
    Cube::backward_input(p, x, y, dy, dx);
    dx.array() += 1e-9 * ++calls;
  }
};

/// y = w x + b, right: the faults are in its parameters' gradients.
struct Affine {
  static constexpr Index input = 3, output = 2;
  static constexpr bool backward_reads_y = false;
  Index param_size() const { return 8; }
  void init(std::span<double>, Rng) const {}
  static Eigen::Map<const Matrix<double>> weight(P p) { return {p.data(), 2, 3}; }
  static Eigen::Map<Matrix<double>> weight(std::span<double> p) { return {p.data(), 2, 3}; }
  static Eigen::Map<const Matrix<double>> bias(P p) { return {p.data() + 6, 2, 1}; }
  static Eigen::Map<Matrix<double>> bias(std::span<double> p) { return {p.data() + 6, 2, 1}; }
  void forward(P p, C x, V y) const { y = (weight(p) * x).colwise() + bias(p).col(0); }
  void backward_input(P p, C, C, C dy, V dx) const { dx = weight(p).transpose() * dy; }
  void backward_params(P, C x, C, C dy, std::span<double> dp) const {
    weight(dp) += dy * x.transpose();
    bias(dp) += dy.rowwise().sum();
  }
};

struct ForgetsTheBias : Affine {
  void backward_params(P, C x, C, C dy, std::span<double> dp) const { weight(dp) += dy * x.transpose(); }
};
struct AssignsInsteadOfAdding : Affine {
  void backward_params(P, C x, C, C dy, std::span<double> dp) const {
    weight(dp) = dy * x.transpose();
    bias(dp) = dy.rowwise().sum();
  }
};
struct FirstSampleOnly : Affine {
  void backward_params(P, C x, C, C dy, std::span<double> dp) const {
    weight(dp) += dy.col(0) * x.col(0).transpose();
    bias(dp) += dy.col(0);
  }
};
struct ForgetsToTranspose : Affine {
  static constexpr Index input = 2, output = 2;
  Index param_size() const { return 4; }
  static Eigen::Map<const Matrix<double>> square(P p) { return {p.data(), 2, 2}; }
  void forward(P p, C x, V y) const { y = square(p) * x; }
  void backward_input(P p, C, C, C dy, V dx) const { dx = square(p) * dy; }
  void backward_params(P, C x, C, C dy, std::span<double> dp) const {
    Eigen::Map<Matrix<double>>(dp.data(), 2, 2) += dy * x.transpose();
  }
};

/// The same in two blocks, weight and bias.
struct Blocked : Affine {
  Index block_count() const { return 2; }
  std::pair<Index, Index> block_range(Index block) const { return block == 0 ? std::pair{0, 6} : std::pair{6, 8}; }
  void backward_params_blocks(P, C x, C, C dy, std::span<double> dp, Index first, Index last) const {
    if (first == 0) weight(dp) += dy * x.transpose();
    if (last == 2) bias(dp) += dy.rowwise().sum();
  }
};
static_assert(BlockedLayer<Blocked, double>);

struct BlocksOverlap : Blocked {
  std::pair<Index, Index> block_range(Index block) const { return block == 0 ? std::pair{0, 7} : std::pair{6, 8}; }
};
struct BlocksStartLate : Blocked {
  std::pair<Index, Index> block_range(Index block) const { return block == 0 ? std::pair{1, 6} : std::pair{6, 8}; }
};
struct BlocksEndEarly : Blocked {
  std::pair<Index, Index> block_range(Index block) const { return block == 0 ? std::pair{0, 6} : std::pair{6, 7}; }
};
struct BlockWritesOutside : Blocked {
  void backward_params_blocks(P p, C x, C y, C dy, std::span<double> dp, Index first, Index last) const {
    Blocked::backward_params_blocks(p, x, y, dy, dp, first, last);
    if (first == 0) dp[7] += 1;
  }
};
struct BlocksMissSomething : Blocked {
  void backward_params_blocks(P p, C x, C y, C dy, std::span<double> dp, Index first, Index last) const {
    if (first == 0) Blocked::backward_params_blocks(p, x, y, dy, dp, first, last);
  }
};
struct OnlyTheFirstBlockOfACall : Blocked {
  void backward_params_blocks(P p, C x, C y, C dy, std::span<double> dp, Index first, Index) const {
    Blocked::backward_params_blocks(p, x, y, dy, dp, first, first + 1);
  }
};

/// Dropout that draws another mask on the way back, or none.
struct OtherMask : Dropout {
  template <class T>
  void backward_input_train(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx,
                            Draw draw) const {
    Dropout::backward_input_train<T>(p, x, y, dy, dx, {draw.rng.fold_in(1), draw.first_sample});
  }
};
struct MaskOfTheNextSample : Dropout {
  template <class T>
  void backward_input_train(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx,
                            Draw draw) const {
    Dropout::backward_input_train<T>(p, x, y, dy, dx, {draw.rng, draw.first_sample + 1});
  }
};

/// For a network a layer must take float, too.
struct TwiceTheGradient : Tanh {
  template <class T>
  void backward_input(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    Tanh::backward_input<T>(p, x, y, dy, dx);
    dx *= 2;
  }
};
struct NoBiasGradient : Linear<3, 3> {
  template <class T>
  void backward_params_blocks(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp, Index,
                              Index) const {
    weight(dp) += dy * x.transpose();
  }
};

}  // namespace

TEST_CASE("check_gradients: what is right passes") {
  for (const auto& report :
       {testing::check_gradients(Cube{}), testing::check_gradients(Affine{}), testing::check_gradients(Blocked{}),
        testing::check_gradients(Dropout(0.5)), testing::check_gradients(LeakyReLU(0.1))}) {
    INFO(report.text());
    CHECK(report.ok());
    CHECK(report.text().empty());
    CHECK(report.compared() >= 20);
    CHECK(report.worst() < 1e-5);
  }
}

TEST_CASE("check_gradients: a wrong gradient of the input is caught") {
  CHECK(reports(testing::check_gradients(WrongSign{}), "dx element 0, batch 1: backward gives"));
  CHECK(reports(testing::check_gradients(WrongFactor{}), "dx element"));
  CHECK(reports(testing::check_gradients(ForgetsToTranspose{}), "dx element"));
  CHECK(reports(testing::check_gradients(OtherMask{}, {.features = 40}), "dx element"));
  CHECK(reports(testing::check_gradients(MaskOfTheNextSample{}, {.features = 40}), "dx element"));
}

TEST_CASE("check_gradients: a wrong gradient of the parameters is caught") {
  CHECK(reports(testing::check_gradients(ForgetsTheBias{}), "dparams element 6"));
  CHECK(reports(testing::check_gradients(AssignsInsteadOfAdding{}), "dparams element"));
  CHECK(reports(testing::check_gradients(FirstSampleOnly{}), "dparams element 0, batch 3"));
}

TEST_CASE("check_gradients: dx must be assigned, all of it") {
  CHECK(reports(testing::check_gradients(AddsToDx{}), "dx element 0, batch 1: backward gives nan"));
  CHECK(reports(testing::check_gradients(LeavesTheLastRow{}), "dx element 4, batch 1: backward gives nan"));
  CHECK(reports(testing::check_gradients(LeavesTheLastSample{}), "dx element 10, batch 3: backward gives nan"));
}

TEST_CASE("check_gradients: nothing else may be written") {
  CHECK(reports(testing::check_gradients(WritesBehindDx{}), "backward_input: writes outside dx"));
  CHECK(reports(testing::check_gradients(WritesBehindY{}), "forward: writes outside the output"));
  CHECK(reports(testing::check_gradients(ChangesItsInput{}), "forward: changes its input"));
  CHECK(reports(testing::check_gradients(ChangesDy{}), "backward_input: changes dy"));
}

TEST_CASE("check_gradients: what a layer says that it does not read, it must not") {
  CHECK(reports(testing::check_gradients(LiesAboutReadingX{}), "backward gives nan"));
  CHECK(reports(testing::check_gradients(ReadsY{}), "backward gives nan"));
}

TEST_CASE("check_gradients: an element-wise layer must work in place") {
  CHECK(reports(testing::check_gradients(ForwardNotInPlace{}), "forward: differs in place"));
  CHECK(reports(testing::check_gradients(BackwardNotInPlace{}), "backward_input: differs in place"));
}

TEST_CASE("check_gradients: results must be finite and the same each time") {
  CHECK(reports(testing::check_gradients(NotFinite{}), "forward: the output is not finite everywhere"));
  CHECK(reports(testing::check_gradients(Forgetful{}), "backward_input: a second call gives another result"));
}

TEST_CASE("check_gradients: blocks must be disjoint, complete and independent") {
  CHECK(reports(testing::check_gradients(BlocksOverlap{}), "block 0: its range does not meet the next block's"));
  CHECK(reports(testing::check_gradients(BlocksStartLate{}), "blocks: the first does not start at 0 but at 1"));
  CHECK(reports(testing::check_gradients(BlocksEndEarly{}), "block 1: its range does not meet the next block's"));
  CHECK(reports(testing::check_gradients(BlockWritesOutside{}), "block 0: writes parameter 7 outside its range"));
  CHECK(reports(testing::check_gradients(BlocksMissSomething{}), "blocks: their sum differs from backward_params"));
  CHECK(reports(testing::check_gradients(OnlyTheFirstBlockOfACall{}), "blocks: several in one call differ"));
}

TEST_CASE("check_gradients: large layers are sampled, small ones checked in full") {
  const Linear<50, 60> layer;
  CHECK(testing::check_gradients(layer, {.batches = {3}, .cap = 100}).compared() == 200);
  CHECK(testing::check_gradients(layer, {.batches = {1}, .cap = 100000}).compared() == 50 + 50 * 60 + 60);
}

TEST_CASE("check_gradients: a long report is cut") {
  const auto report = testing::check_gradients(WrongSign{}, {.features = 20});
  CHECK(std::ranges::count(report.text(), '\n') == 11);
  CHECK(report.text().find("... and ") != std::string::npos);
}

TEST_CASE("check_loss: a wrong gradient is caught, and so is a write outside") {
  const auto half = [](C y, V dy) {
    dy = y / static_cast<double>(y.size());
    return y.squaredNorm() / (2 * static_cast<double>(y.size()));
  };
  CHECK(testing::check_loss(half, 3, 4).ok());
  CHECK(testing::check_loss(half, 3, 4).compared() == 12);
  CHECK(reports(testing::check_loss(
                    [&](C y, V dy) {
                      const double value = half(y, dy);
                      dy *= 2;
                      return value;
                    },
                    3, 4),
                "dy element"));
  CHECK(reports(testing::check_loss(
                    [&](C y, V dy) {
                      const double value = half(y, dy);
                      dy(2, 3) += 1e-3;
                      return value;
                    },
                    3, 4),
                "dy element 11"));
  CHECK(reports(testing::check_loss(
                    [&](C y, V dy) {
                      const double value = half(y, dy);
                      dy.data()[dy.rows()] = 0;
                      return value;
                    },
                    3, 4),
                "loss: writes outside dy"));
}

TEST_CASE("check_model: a wrong layer inside a network is caught") {
  const auto loss = [](C y, V dy) { return mse<double>(y, Matrix<double>::Ones(y.rows(), y.cols()).eval(), dy); };
  Model<Sequential<Linear<3, 4>, Tanh, Dropout, Linear<4, 2>>, double> right(Rng(1));
  CHECK(testing::check_model(right, loss).ok());
  Model<Sequential<Linear<3, 4>, TwiceTheGradient, Linear<4, 2>>, double> wrong(Rng(1));
  CHECK(reports(testing::check_model(wrong, loss), "dx element"));
  Model<Sequential<Tanh, NoBiasGradient>, double> bias(Rng(1));
  CHECK(reports(testing::check_model(bias, loss), "dparams element"));
}
