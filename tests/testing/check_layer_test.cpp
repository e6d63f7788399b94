#include <eigan/layers/dropout.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "testing/right_layers.hpp"

using namespace faults;
using testing::check_gradients;

namespace {

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
struct ForgetsToTranspose {
  static constexpr Index input = 2, output = 2;
  static Matrix<double> square() { return Matrix<double>{{1, 2}, {3, 4}}; }
  void forward(P, C x, V y) const { y = square() * x; }
  void backward_input(P, C, C, C dy, V dx) const { dx = square() * dy; }
};

/// A right gradient, but of a sum over neighbours.
struct NotElementwise {
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false, backward_reads_y = false;
  void forward(P, C x, V y) const { y = (x + x.colwise().reverse()).eval(); }
  void backward_input(P, C, C, C dy, V dx) const { dx = (dy + dy.colwise().reverse()).eval(); }
};
/// y = (1 + number of the channel) x.
struct ChannelFactors {
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false, backward_reads_y = false, piecewise_linear = true;
  static Matrix<double> factors(Index rows) {
    return Matrix<double>::NullaryExpr(rows, 1, [](Index i) { return static_cast<double>(1 + i % 3); });
  }
  void forward(P, C x, V y) const { y = factors(x.rows()).asDiagonal() * x; }
  void backward_input(P, C, C, C dy, V dx) const { dx = factors(dy.rows()).asDiagonal() * dy; }
};
/// The same for a vector of a size that it states.
struct VectorFactors : ChannelFactors {
  static constexpr Index input = 8, output = 8;
};
/// Right forwards; the way back goes by the place in the view.
struct WrongFactorsBack : Cube {
  void backward_input(P p, C x, C y, C dy, V dx) const {
    Cube::backward_input(p, x, y, dy, dx);
    if (dx.rows() != 5) dx *= 2;
  }
};
/// Centred by the batch's mean without declaring it.
struct SecretlyCoupled {
  static constexpr Index input = 3, output = 3;
  static constexpr bool backward_reads_x = false, backward_reads_y = false;
  void forward(P, C x, V y) const { y = x.colwise() - x.rowwise().mean(); }
  void backward_input(P, C, C, C dy, V dx) const { dx = dy.colwise() - dy.rowwise().mean(); }
};
/// The way back of a batch is right, that of its last sample alone is not.
struct CountsColumns : Cube {
  void backward_input(P, C x, C, C dy, V dx) const {
    const double factor = o_batch == x.cols() ? 3 : 6;
    dx = factor * x.array().square() * dy.array();
  }
  Index o_batch = 3;
};

/// Dropout that draws another mask on the way back, or goes by the place in the view.
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
struct MaskOfTheView : Dropout {
  template <class T>
  void forward_train(std::span<const T> p, ConstView<T> x, View<T> y, Draw draw) const {
    Dropout::forward_train<T>(p, x, y, {draw.rng, 0});
  }
  template <class T>
  void backward_input_train(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx,
                            Draw draw) const {
    Dropout::backward_input_train<T>(p, x, y, dy, dx, {draw.rng, 0});
  }
};
struct WrongAtInference : Dropout {
  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    dx = 2 * dy;
  }
};

struct PreparesTooMuch : Centre {
  void prepare(P p, P s, std::span<double> q, Phase phase) const {
    Centre::prepare(p, s, q, phase);
    q.data()[4] = 0;
  }
};
struct AddsToWhatIsPrepared : Centre {
  void prepare(P p, P, std::span<double> q, Phase) const { q[0] += p[0]; }
};
struct ForgetsThatItPrepared : Centre {
  void backward_params(Prepared<double>, C, C, C, std::span<double>) const {}
};
struct InferenceWithTheBatch : Centre {
  void backward_input(Prepared<double> p, C x, C y, C dy, V dx) const {
    backward_input_parts(p, x, y, dy, dx, 0, part_count());
  }
};
struct TrainingWithConstants : Centre {
  void backward_input_parts(Prepared<double> p, C, C, C dy, V dx, Index first, Index last) const {
    for (Index i = first; i < last; ++i) dx.row(i) = p.prepared[0] * dy.row(i);
  }
};

}  // namespace

TEST_CASE("check_layer: what is right passes") {
  passes(check_gradients(Cube{}));
  passes(check_gradients(Affine{}));
  passes(check_gradients(Dropout(0.5)));
  passes(check_gradients(Centre{}));
}

TEST_CASE("check_layer: a wrong gradient of the input is caught") {
  CHECK(reports(check_gradients(WrongSign{}), "dx element 0, batch 1: backward gives"));
  CHECK(reports(check_gradients(WrongFactor{}), "dx element"));
  CHECK(reports(check_gradients(ForgetsToTranspose{}), "dx element"));
  CHECK(reports(check_gradients(OtherMask{}, {.features = 40}), "dx element"));
  CHECK(reports(check_gradients(MaskOfTheNextSample{}, {.features = 40}), "dx element"));
}

TEST_CASE("check_layer: dx must be assigned, all of it") {
  CHECK(reports(check_gradients(AddsToDx{}), "dx element 0, batch 1: backward gives nan"));
  CHECK(reports(check_gradients(LeavesTheLastRow{}), "dx element 4, batch 1: backward gives nan"));
  CHECK(reports(check_gradients(LeavesTheLastSample{}), "dx element 10, batch 3: backward gives nan"));
}

TEST_CASE("check_layer: nothing else may be written") {
  CHECK(reports(check_gradients(WritesBehindDx{}), "backward_input: writes outside dx, batch 1"));
  CHECK(reports(check_gradients(WritesBehindY{}), "forward: writes outside the output, batch 1"));
  CHECK(reports(check_gradients(ChangesItsInput{}), "forward: changes its input, batch 1"));
  CHECK(reports(check_gradients(ChangesDy{}), "backward_input: changes dy, batch 1"));
  CHECK(reports(check_gradients(PreparesTooMuch{}), "prepare: writes outside q, batch 1"));
}

TEST_CASE("check_layer: what a layer says that it does not read, it must not") {
  CHECK(reports(check_gradients(LiesAboutReadingX{}), "backward gives nan"));
  CHECK(reports(check_gradients(ReadsY{}), "backward gives nan"));
}

TEST_CASE("check_layer: an element-wise layer is one, and works in place") {
  CHECK(reports(check_gradients(ForwardNotInPlace{}), "forward: differs in place, batch 1"));
  CHECK(reports(check_gradients(BackwardNotInPlace{}), "backward_input: differs in place, batch 1"));
  CHECK(reports(check_gradients(NotElementwise{}), "forward: declared elementwise, but x element 0 moves other"));
}

TEST_CASE("check_layer: an element-wise layer may be handed some pixels by themselves") {
  CHECK(reports(check_gradients(ChannelFactors{}),
                "forward: declared elementwise, but rows from 1 by themselves give another result, batch 1"));
  CHECK(reports(check_gradients(ChannelFactors{}, {.shape = {2, 2, 2}}), "forward: declared elementwise, but rows"));
  CHECK(reports(check_gradients(WrongFactorsBack{}),
                "backward_input: declared elementwise, but rows from 1 by themselves give another result, batch 1"));
  passes(check_gradients(ChannelFactors{}, {.shape = {3, 2, 2}}));
  passes(check_gradients(VectorFactors{}));
}

TEST_CASE("check_layer: results must be finite and the same each time") {
  CHECK(reports(check_gradients(NotFinite{}), "forward: the output is not finite everywhere, batch 1"));
  CHECK(reports(check_gradients(Forgetful{}), "backward_input: a second call gives another result, batch 1"));
}

TEST_CASE("check_layer: a sample by itself gives what it gives in the batch") {
  CHECK(reports(check_gradients(SecretlyCoupled{}), "forward: sample 0 by itself gives another result, batch 3"));
  CHECK(reports(check_gradients(CountsColumns{}, {.batches = {3}}),
                "backward_input: sample 0 by itself gives another result, batch 3"));
  CHECK(
      reports(check_gradients(MaskOfTheView{}, {.features = 40}), "forward: sample 1 by itself gives another result"));
}

TEST_CASE("check_layer: both phases, each with what was prepared for it") {
  CHECK(reports(check_gradients(WrongAtInference{}), "dx element 0, batch 1, at inference: backward gives"));
  CHECK(reports(check_gradients(InferenceWithTheBatch{}), "dx element 0, batch 1, at inference: backward gives"));
  CHECK(reports(check_gradients(TrainingWithConstants{}), "dx element 0, batch 3: backward gives"));
  CHECK(reports(check_gradients(AddsToWhatIsPrepared{}), "forward: the output is not finite everywhere, batch 1"));
  CHECK(reports(check_gradients(ForgetsThatItPrepared{}), "dparams element 0, batch 3"));
}
