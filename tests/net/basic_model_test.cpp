#include <doctest/doctest.h>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include <eigan/gan/networks.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/sigmoid.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/losses/bce_with_logits.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/testing/check_model.hpp>

#include "net/by_hand.hpp"
#include "support.hpp"

using namespace eigan;

namespace {

// Large enough that threads start even for a few samples, with layers of one and of several blocks.
using Net = Sequential<Linear<90, 300>, LeakyReLU, Dropout, Linear<300, 70>, Tanh, Dropout, Linear<70, 1>>;
using Calm = Sequential<Linear<90, 300>, LeakyReLU, Linear<300, 70>, Tanh, Linear<70, 5>, Sigmoid>;
constexpr Index batches[] = {1, 2, 31, 32, 33, 64, 65, 100};

struct Gradients {
  Matrix<float> dx;
  Buffer<float> grad;
};

/// A whole training pass of one batch.
Gradients pass(const BasicModel<float>& model, Tape<float>& tape, ConstView<float> x, ConstView<float> dy,
               Threads threads) {
  Gradients g{Matrix<float>(x.rows(), x.cols()), model.zeros()};
  model.forward(tape, x, Rng(6), threads);
  tape.output_gradient() = dy;
  model.backward(tape, g.grad, g.dx, threads);
  return g;
}

}  // namespace

TEST_CASE("Model: a discriminator's gradients through dropout") {
  Model<Discriminator<dynamic, dynamic, dynamic, dynamic>, double> model(
      make_discriminator(std::array<Index, 4>{7, 9, 5, 1}), Rng(3));
  const auto report = testing::check_model(
      model, [](ConstView<double> z, View<double> dz) { return bce_with_logits<double>(z, 0.9, dz); });
  INFO(report.text());
  CHECK(report.ok());
  CHECK(report.compared() > 200);
}

TEST_CASE("Model: a pass of any batch up to the capacity is the layers' own, one after the other") {
  const Model<Net> model(Rng(1));
  auto tape = model.tape(100);
  for (const Index batch : batches) {
    CAPTURE(batch);
    const Matrix<float> x = support::random_matrix<float>(90, batch, 2),
                        dy = support::random_matrix<float>(1, batch, 3);
    const auto expected = by_hand::train<float>(model, {x}, dy, Rng(6));
    const Gradients g = pass(model, tape, x, dy, Threads{1});
    CHECK(support::same_bits<float>(tape.output(), expected.y()));
    CHECK(support::same_bits<float>(g.dx, expected.dx()));
    CHECK(support::same_bits<float>(g.grad, expected.grad));
  }
}

TEST_CASE("Model: weights that fill a cache change nothing") {
  const Model<Sequential<Linear<600, 600>, Tanh, Linear<600, 3>>> model(Rng(1));
  const Matrix<float> x = support::random_matrix<float>(600, 130, 2), dy = support::random_matrix<float>(3, 130, 3);
  const auto expected = by_hand::train<float>(model, {x}, dy, Rng(6));
  auto tape = model.tape(130);
  const Gradients g = pass(model, tape, x, dy, Threads{2});
  CHECK(support::same_bits<float>(tape.output(), expected.y()));
  CHECK(support::same_bits<float>(g.dx, expected.dx()));
  CHECK(support::same_bits<float>(g.grad, expected.grad));
  CHECK(support::same_bits<float>(model.infer(x), expected.y()));
}

TEST_CASE("Model: both halves of backward alone give what they give together") {
  const Model<Net> model(Rng(1));
  auto tape = model.tape(40);
  const Matrix<float> x = support::random_matrix<float>(90, 40, 2), dy = support::random_matrix<float>(1, 40, 3);
  const Gradients both = pass(model, tape, x, dy, Threads{1});

  Matrix<float> dx = Matrix<float>::Constant(90, 40, std::numeric_limits<float>::quiet_NaN());
  model.forward(tape, x, Rng(6));
  tape.output_gradient() = dy;
  model.backward_input(tape, dx);
  CHECK(support::same_bits(dx, both.dx));

  // Parameter gradients are added to what is there: twice the pass, twice the gradient.
  Buffer<float> grad = model.zeros();
  for (int i = 0; i < 2; ++i) {
    model.forward(tape, x, Rng(6));
    tape.output_gradient() = dy;
    model.backward_params(tape, grad);
  }
  float largest = 0;
  for (Index i = 0; i < grad.size(); ++i) largest = std::max(largest, std::abs(both.grad[i]));
  bool twice = true;  // a NaN is not
  for (Index i = 0; i < grad.size(); ++i) twice = twice && std::abs(grad[i] - 2 * both.grad[i]) < 1e-5f * largest;
  CHECK(twice);
}

TEST_CASE("Model: after each block's gradient the caller is told, once for every parameter") {
  const Model<Net> model(Rng(1));
  auto tape = model.tape(40);
  const Matrix<float> x = support::random_matrix<float>(90, 40, 2);
  for (const int threads : {1, 3}) {
    Buffer<float> grad = model.zeros();
    std::vector<std::atomic<int>> told(static_cast<std::size_t>(grad.size()));
    model.forward(tape, x, Rng(6));
    tape.output_gradient().setOnes();
    model.backward_params(tape, grad, Threads{threads}, [&](Index first, Index count) {
      for (Index i = first; i < first + count; ++i) ++told[static_cast<std::size_t>(i)];
    });
    CHECK(std::all_of(told.begin(), told.end(), [](const auto& times) { return times == 1; }));
  }
}

TEST_CASE("Model: inference is the layers' own, for any number of samples, and leaves dropout out") {
  const Model<Net> model(Rng(1));
  auto scratch = model.scratch();
  for (const Index n : batches) {
    CAPTURE(n);
    const Matrix<float> x = support::random_matrix<float>(90, n, 2);
    const Matrix<float> expected = by_hand::infer<float>(model, {x});
    Matrix<float> y(1, n);
    model.infer(x, y, scratch);
    CHECK(support::same_bits(y, expected));
    CHECK(support::same_bits(model.infer(x), expected));
  }
}

TEST_CASE("Model: without randomness inference is the forward pass") {
  const Model<Calm> model(Rng(1));
  auto tape = model.tape(100);
  auto scratch = model.scratch();
  for (const Index n : batches) {
    CAPTURE(n);
    // Into the middle of a padded matrix, whose surroundings stay.
    const Matrix<float> x = support::random_matrix<float>(90, n, 2);
    Matrix<float> memory = Matrix<float>::Constant(7, n + 2, 9);
    const View<float> y = View<float>(memory.data(), 5, n + 2, 7).columns(1, n);
    model.infer(x, y, scratch);
    CHECK(y == model.forward(tape, x));
    View<float>(y).setConstant(9);
    CHECK((memory.array() == 9).all());
  }
}

TEST_CASE("Model: threads may share a model for inference, each with its own scratch") {
  const Model<Calm> model(Rng(1));
  constexpr std::size_t callers = 8;
  const Matrix<float> x = support::random_matrix<float>(90, 50, 2);
  const Matrix<float> expected = by_hand::infer<float>(model, {x});
  std::vector<Matrix<float>> results(callers, Matrix<float>(5, 50));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < callers; ++i)
    threads.emplace_back([&, i] {
      auto scratch = model.scratch();
      for (int repeat = 0; repeat < 5; ++repeat) model.infer(x, results[i], scratch);
    });
  for (auto& thread : threads) thread.join();
  for (const auto& result : results) CHECK(support::same_bits(result, expected));
}

TEST_CASE("Model: the same bits for any number of threads") {
  const Model<Net> model(Rng(1));
  auto tape = model.tape(100);
  for (const Index batch : {37, 100}) {
    const Matrix<float> x = support::random_matrix<float>(90, batch, 2),
                        dy = support::random_matrix<float>(1, batch, 3);
    const Gradients alone = pass(model, tape, x, dy, Threads{1});
    const Matrix<float> y = tape.output(), inferred = model.infer(x, Threads{1});
    for (const int threads : {2, 3, 4, 8}) {
      INFO(batch, " samples on ", threads, " threads");
      const Gradients g = pass(model, tape, x, dy, Threads{threads});
      CHECK(support::same_bits<float>(tape.output(), y));
      CHECK(support::same_bits<float>(g.dx, alone.dx));
      CHECK(support::same_bits<float>(g.grad, alone.grad));
      CHECK(support::same_bits(model.infer(x, Threads{threads}), inferred));
    }
  }
}

TEST_CASE("Model: what does not fit is refused with the sizes") {
  const Model<Calm> model(Rng(1));
  auto tape = model.tape(10);
  auto scratch = model.scratch();
  Matrix<float> x(90, 10), dx(90, 10), y(5, 10);
  x.setZero();
  Buffer<float> grad = model.zeros(), small(3);
  const auto columns = [&](Index n) { return ConstView<float>(x).columns(0, n); };

  CHECK_THROWS_WITH_AS(model.backward_params(tape, grad), "eigan::Model: backward without a forward pass on this tape",
                       std::invalid_argument);
  CHECK_THROWS_AS(model.backward_input(tape, dx), std::invalid_argument);

  const Matrix<float> narrow(89, 10), many(90, 11);
  CHECK_THROWS_WITH_AS(model.forward(tape, narrow), "eigan::Model: a sample of the input must have 90 features, has 89",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(model.forward(tape, many),
                       "eigan::Model::forward: this tape holds 1 to 10 samples, the input has 11",
                       std::invalid_argument);
  CHECK_THROWS_AS(model.forward(tape, columns(0)), std::invalid_argument);

  model.forward(tape, columns(7));
  tape.output_gradient().setZero();
  CHECK_THROWS_WITH_AS(model.backward_input(tape, dx), "eigan::Model::backward_input: dx must be 90 x 7, is 90 x 10",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(model.backward_params(tape, small), "eigan::Model: the gradient must have 48725 elements, has 3",
                       std::invalid_argument);
  CHECK_THROWS_AS(model.backward(tape, small, View<float>(dx).columns(0, 7)), std::invalid_argument);
  CHECK_NOTHROW(model.backward(tape, grad, View<float>(dx).columns(0, 7)));  // a refusal has consumed nothing

  CHECK_THROWS_WITH_AS(model.infer(columns(7), y, scratch), "eigan::Model::infer: y must be 5 x 7, is 5 x 10",
                       std::invalid_argument);
  CHECK_THROWS_AS(model.infer(narrow, y, scratch), std::invalid_argument);
  CHECK_THROWS_AS(model.infer(narrow), std::invalid_argument);
}

TEST_CASE("Model: a tape or scratch of a network of the same type and other sizes is refused") {
  using Free = Sequential<Linear<>, Tanh, Linear<>>;
  const Model<Free> model(Free(Linear<>(3, 9), Tanh{}, Linear<>(9, 2)), Rng(1));
  const Model<Free> other(Free(Linear<>(3, 4), Tanh{}, Linear<>(4, 2)), Rng(1));
  const Matrix<float> x = Matrix<float>::Zero(3, 5);
  Matrix<float> y(2, 5), dx(3, 5);
  Buffer<float> grad = model.zeros();
  auto tape = other.tape(5);
  auto scratch = other.scratch();
  CHECK_THROWS_WITH_AS(model.forward(tape, x), "eigan::Model: this tape was made for a network of other sizes",
                       std::invalid_argument);
  other.forward(tape, x);
  tape.output_gradient().setZero();
  CHECK_THROWS_AS(model.backward_input(tape, dx), std::invalid_argument);
  CHECK_THROWS_AS(model.backward_params(tape, grad), std::invalid_argument);
  CHECK_THROWS_AS(model.backward(tape, grad, dx), std::invalid_argument);
  CHECK_THROWS_WITH_AS(model.infer(x, y, scratch),
                       "eigan::Model::infer: this scratch was made for a network of other sizes",
                       std::invalid_argument);
}

TEST_CASE("Model: what is written lies over nothing that is read") {
  const Model<Sequential<Linear<6, 6>>> model(Rng(1));
  Matrix<float> x = support::random_matrix<float>(6, 40, 2);
  auto scratch = model.scratch();
  auto tape = model.tape(40);
  CHECK_THROWS_WITH_AS(model.infer(x, View<float>(x), scratch),
                       "eigan::Model::infer: y lies over the memory of input 0", std::invalid_argument);
  const View<float> all(x);
  CHECK_THROWS_AS(model.infer(all.columns(0, 20), all.columns(19, 20), scratch), std::invalid_argument);
  CHECK_NOTHROW(model.infer(all.columns(0, 20), all.columns(20, 20), scratch));
  Matrix<float> rows(12, 5);  // rows beside each other in one matrix
  rows.topRows(6) = x.leftCols(5);
  const View<float> top(rows.data(), 6, 5, 12), bottom(rows.data() + 6, 6, 5, 12), middle(rows.data() + 5, 6, 5, 12);
  model.infer(top, bottom, scratch);
  CHECK(rows.bottomRows(6) == model.infer(x.leftCols(5)));
  CHECK_NOTHROW(model.infer(bottom, top, scratch));
  CHECK_THROWS_AS(model.infer(top, middle, scratch), std::invalid_argument);
  CHECK_THROWS_AS(model.infer(bottom, middle, scratch), std::invalid_argument);
  const View<float> next(rows.data() + 15, 6, 4, 12);  // from row 3 of the next column, into the rows of `bottom`
  CHECK_THROWS_AS(model.infer(bottom.columns(0, 4), next, scratch), std::invalid_argument);

  auto grad = model.zeros();
  model.forward(tape, x);
  CHECK_THROWS_WITH_AS(model.backward(tape, grad, View<float>(x)),
                       "eigan::Model: backward before a loss has written tape.output_gradient()",
                       std::invalid_argument);
  tape.output_gradient().setOnes();
  CHECK_THROWS_WITH_AS(model.backward(tape, grad, View<float>(x)),
                       "eigan::Model::backward_input: dx lies over the memory of input 0", std::invalid_argument);
  CHECK_THROWS_WITH_AS(model.backward_input(tape, tape.output_gradient()),
                       "eigan::Model::backward_input: dx lies over the gradient of the output", std::invalid_argument);
  tape.bind_output(x);
  CHECK_THROWS_WITH_AS(model.forward(tape, x),
                       "eigan::Model::forward: the tape's output lies over the memory of input 0",
                       std::invalid_argument);
}

TEST_CASE("Model: inference of nothing is nothing") {
  const Model<Calm> model(Rng(1));
  CHECK(model.infer(Matrix<float>(90, 0)).cols() == 0);
  CHECK(model.infer(Matrix<float>(90, 0)).rows() == 5);
}

TEST_CASE("Model: a pass that is a part of a batch draws what the whole batch draws") {
  const Model<Net> model(Rng(1));
  auto tape = model.tape(50);
  const Matrix<float> x = support::random_matrix<float>(90, 50, 2), dy = support::random_matrix<float>(1, 50, 3);
  const Gradients whole = pass(model, tape, x, dy, Threads{1});
  const Matrix<float> y = tape.output();
  for (const Index first : {0, 13, 32, 49}) {
    CAPTURE(first);
    const Index count = std::min<Index>(50 - first, 17);
    const std::array part{ConstView<float>(x).columns(first, count)};
    const ConstView<float> out = model.forward(tape, part, Draw{Rng(6), first});
    CHECK(support::same_bits<float>(out, y.middleCols(first, count)));
    CHECK(tape.draw().first_sample == first);
    tape.output_gradient() = dy.middleCols(first, count);
    Matrix<float> dx(90, count);
    model.backward_input(tape, dx);
    CHECK(support::same_bits<float>(dx, whole.dx.middleCols(first, count)));
  }
}
