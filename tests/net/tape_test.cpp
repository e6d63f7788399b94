#include <doctest/doctest.h>
#include <array>
#include <memory>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/relu.hpp>
#include <eigan/layers/sigmoid.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/estimate_statistics.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/parallel.hpp>
#include <eigan/net/residual.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/net/skip_connection.hpp>
#include <eigan/net/tape.hpp>

#include "allocations.hpp"
#include "net/by_hand.hpp"
#include "net/own_layers.hpp"
#include "support.hpp"

using namespace eigan;

namespace {

using own::Negate;
using own::Scale;
using own::Square;
using L = Linear<6, 6>;

/// A training pass through a tape against the same by hand, to the last bit.
template <class Net>
void check_combination(const Net& net) {
  INFO(net.spec().text());
  constexpr Index batch = 37;  // two tiles
  const Model<Net> model(net, Rng(2));
  const Matrix<float> x = support::random_matrix<float>(model.input_size(), batch, 3);
  const Matrix<float> dy = support::random_matrix<float>(model.output_size(), batch, 4);
  const Rng rng(5);
  const auto expected = by_hand::train<float>(model, {x}, dy, rng);

  for (auto& tape :
       {std::make_shared<Tape<float>>(model.tape(40)), std::make_shared<Tape<float>>(model.separate_tape(40))}) {
    Matrix<float> dx(x.rows(), batch);
    Buffer<float> grad = model.zeros();
    CHECK(support::same_bits<float>(model.forward(*tape, x, rng), expected.y()));
    tape->output_gradient() = dy;
    model.backward(*tape, grad, dx);
    CHECK(support::same_bits<float>(dx, expected.dx()));
    CHECK(support::same_bits<float>(grad, expected.grad));
  }
}

/// Fails at will.
struct Fails : Negate {
  static inline bool now = false;
  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    if (now) throw std::runtime_error("no forward");
    Negate::forward<T>(p, x, y);
  }
};

/// Ready for a way back.
Tape<float> passed(const BasicModel<float>& model, const Matrix<float>& x) {
  auto tape = model.tape(x.cols());
  model.forward(tape, x, Rng(1));
  tape.output_gradient().setOnes();
  return tape;
}

}  // namespace

TEST_CASE("Tape: whatever layers share memory, a pass is the same as with memory for each") {
  check_combination(Sequential<L, LeakyReLU, L, Tanh>{});
  check_combination(Sequential<L, LeakyReLU, Dropout, L, Sigmoid, Dropout, L>{});
  check_combination(Sequential<L, Dropout, Dropout, Tanh, Negate, Sigmoid, L>{});
  check_combination(Sequential<Dropout, Negate, Dropout, L, ReLU>{});
  check_combination(Sequential<Tanh, L>{});
  check_combination(Sequential<L, Square, L>{});
  check_combination(Sequential<L, Negate, Square, Negate, L>{});
  check_combination(Sequential<L, Square, Square, Tanh, Square>{});
  check_combination(Sequential<L, Scale, Tanh, L>{});
  check_combination(Sequential<L, Negate, Scale, Negate, Scale, Dropout>{});
  check_combination(Sequential<Scale, Dropout, L>{});
  check_combination(Sequential<L, Scale>{});
  check_combination(Sequential<Residual<L, Tanh>, Residual<LeakyReLU, L, Dropout>, Tanh>{});
  check_combination(Sequential<L, Tanh, Residual<Tanh>, Residual<Scale>, Residual<Square>>{});
  check_combination(Sequential<Residual<Residual<L>, Sigmoid>, SkipConnection<L, Tanh>, Linear<12, 6>, ReLU>{});
  check_combination(Sequential<L, Parallel<Tanh, Negate, Residual<Tanh, Square>, Scale>, Dropout>{});
  check_combination(Sequential<Input<6>, Parallel<Tanh, Scale, SkipConnection<Dropout>>,
                               Residual<Parallel<Linear<24, 20>, Linear<24, 4>>>>{});
}

TEST_CASE("Tape: an activation that nobody reads again is overwritten, others are not") {
  using Net = Sequential<Linear<3, 5>, LeakyReLU, Dropout, Linear<5, 1>>;
  const Model<Net> model(Rng(1));
  const auto tape = model.tape(4);
  CHECK(tape.activation(2).data() == tape.activation(1).data());
  CHECK(tape.activation(3).data() != tape.activation(2).data());  // LeakyReLU reads its output
  CHECK(tape.activation(4).data() != tape.activation(3).data());
}

TEST_CASE("Tape: remembers the last pass, up to its capacity") {
  using Net = Sequential<Linear<3, 2>>;
  const Model<Net> model(Rng(1));
  auto tape = model.tape(10);
  CHECK(tape.capacity() == 10);
  CHECK(tape.batch() == 0);
  const Matrix<float> x = support::random_matrix<float>(3, 10, 2);
  for (const Index batch : {10, 1, 7}) {
    const ConstView<float> some = ConstView<float>(x).columns(10 - batch, batch);
    model.forward(tape, some, Rng(9));
    CHECK(tape.batch() == batch);
    CHECK(tape.draw().rng.key() == Rng(9).key());
    CHECK(tape.input().data() == some.data());  // not copied
    CHECK(tape.output().rows() == 2);
    CHECK(tape.output().cols() == batch);
    CHECK(tape.output_gradient().cols() == batch);
  }
  CHECK_THROWS_WITH_AS(model.tape(0), "eigan::Tape: the capacity must be positive, is 0", std::invalid_argument);
  CHECK_THROWS_AS(model.tape(-1), std::invalid_argument);
}

TEST_CASE("Tape: the output can live in the caller's memory") {
  using Net = Sequential<Linear<3, 2>, Tanh>;
  const Model<Net> model(Rng(1));
  const Matrix<float> x = support::random_matrix<float>(3, 5, 2);
  auto own = model.tape(8), bound = model.tape(8);
  Matrix<float> home = Matrix<float>::Zero(2, 6);
  bound.bind_output(home);
  CHECK(bound.capacity() == 6);
  CHECK(model.forward(bound, x).data() == home.data());
  CHECK(home.leftCols(5) == model.forward(own, x));
  CHECK(home.col(5).isZero(0));
  // The output that the way back would read is gone.
  Buffer<float> grad = model.zeros();
  bound.output_gradient().setOnes();
  Matrix<float> another(2, 4);
  bound.bind_output(another);
  CHECK(bound.batch() == 0);
  CHECK_THROWS_WITH_AS(model.backward_params(bound, grad), "eigan::Model: backward without a forward pass on this tape",
                       std::invalid_argument);
  Matrix<float> three(3, 8);
  CHECK_THROWS_WITH_AS(bound.bind_output(three), "eigan::Tape::bind_output: expected 2 features, got 3",
                       std::invalid_argument);
}

TEST_CASE("Tape: two passes alive at once are two tapes") {
  const Model<Sequential<L, Tanh, L>> model(Rng(1));
  const Matrix<float> a = support::random_matrix<float>(6, 5, 2), b = support::random_matrix<float>(6, 5, 3);
  Tape<float> one = passed(model, a), other = passed(model, b);
  const Matrix<float> y = one.output();
  Matrix<float> dx(6, 5), expected(6, 5);
  model.backward_input(other, dx);
  CHECK(support::same_bits<float>(one.output(), y));
  model.backward_input(one, dx);
  Tape<float> alone = passed(model, a);
  model.backward_input(alone, expected);
  CHECK(support::same_bits(dx, expected));
}

TEST_CASE("Tape: separate levels have memory of their own") {
  const Model<Sequential<L, Tanh, Residual<Negate, Tanh>, Dropout>> model(Rng(1));
  auto tape = model.separate_tape(3);
  const std::size_t levels = model.steps().levels().size();
  for (std::size_t a = 1; a < levels; ++a)
    for (std::size_t b = 1; b < a; ++b) {
      CHECK(tape.activation(a).data() != tape.activation(b).data());
      CHECK(tape.gradient(a).data() != tape.gradient(b).data());
    }
}

TEST_CASE("Tape: the gradients on the way to parameters and to an input are wanted, and no others") {
  const auto wanted = [](auto net, bool input) {
    const Model model(std::move(net), Rng(1));
    auto tape = model.tape(2);
    Matrix<float> x = support::random_matrix<float>(3, 2, 1), dx(3, 2);
    model.forward(tape, x);
    tape.output_gradient().setOnes();
    tape.begin_backward(std::array{input ? View<float>(dx) : View<float>()});
    std::vector<bool> all;
    for (std::size_t level = 0; level < model.steps().levels().size(); ++level) all.push_back(tape.wanted(level));
    return all;
  };
  const auto net = [] { return Sequential{Tanh(), Linear<>(3, 4), Tanh(), Linear<>(4, 2)}; };
  CHECK(wanted(net(), false) == std::vector<bool>{false, false, true, true, true});
  CHECK(wanted(net(), true) == std::vector<bool>{true, true, true, true, true});
}

TEST_CASE("Tape: a way back without a pass, without a loss or over a consumed gradient is refused") {
  const Model<Sequential<L, Tanh>> model(Rng(1));
  const Matrix<float> x = support::random_matrix<float>(6, 5, 2);
  auto tape = model.tape(5);
  Matrix<float> dx(6, 5);
  Buffer<float> grad = model.zeros();
  const auto refuse = [&](const char* message) {
    CHECK_THROWS_WITH_AS(model.backward_input(tape, dx), message, std::invalid_argument);
    CHECK_THROWS_WITH_AS(model.backward_params(tape, grad), message, std::invalid_argument);
    CHECK_THROWS_WITH_AS(model.backward(tape, grad, dx), message, std::invalid_argument);
  };
  const char* const no_pass = "eigan::Model: backward without a forward pass on this tape";
  const char* const no_loss = "eigan::Model: backward before a loss has written tape.output_gradient()";
  const char* const consumed =
      "eigan::Model: a second backward on one pass: the first has consumed tape.output_gradient(), which a loss must "
      "write again";
  refuse(no_pass);
  model.forward(tape, x);
  refuse(no_loss);
  tape.output_gradient().setOnes();
  CHECK_NOTHROW(model.backward(tape, grad, dx));
  refuse(consumed);
  for (int half = 0; half < 2; ++half) {
    model.forward(tape, x);
    refuse(no_loss);  // of the pass before
    tape.output_gradient().setOnes();
    if (half == 0)
      model.backward_input(tape, dx);
    else
      model.backward_params(tape, grad);
    refuse(consumed);
  }
  // Written again, it may be sent back again.
  const Matrix<float> expected = dx;
  tape.output_gradient().setOnes();
  model.backward_input(tape, dx);
  CHECK(support::same_bits(dx, expected));
}

TEST_CASE("Tape: a constant tape's gradient is read, which does not stand for a loss") {
  const Model<Sequential<L, Tanh>> model(Rng(1));
  const Matrix<float> x = support::random_matrix<float>(6, 5, 2);
  Tape<float> tape = passed(model, x);
  CHECK(std::as_const(tape).output_gradient() == Matrix<float>::Ones(6, 5));
  Matrix<float> dx(6, 5);
  model.backward_input(tape, dx);
  CHECK(std::as_const(tape).output_gradient().allFinite());
  CHECK_THROWS_AS(model.backward_input(tape, dx), std::invalid_argument);
}

TEST_CASE("Tape: the first way back allocates nothing either" * doctest::skip(!support::fails_allocations)) {
  const Model<Sequential<L, Tanh>> model(Rng(1));
  const Matrix<float> x = support::random_matrix<float>(6, 5, 2);
  Tape<float> tape = passed(model, x);
  const support::FailingAllocation first(0);
  CHECK_NOTHROW(tape.begin_backward({}));
}

TEST_CASE("Tape: a way back to the input and one without it take turns on one tape") {
  const Model<Sequential<L, Tanh>> model(Rng(1));
  const Matrix<float> x = support::random_matrix<float>(6, 5, 2);
  Tape<float> tape = passed(model, x);
  auto grad = model.zeros();
  model.backward_params(tape, grad);
  CHECK_FALSE(tape.wanted(0));
  CHECK_FALSE(tape.needed(0));
  Matrix<float> dx = Matrix<float>::Zero(6, 5), again = dx;
  for (Matrix<float>* to : {&dx, &again}) {
    model.forward(tape, x);
    tape.output_gradient().setOnes();
    model.backward_input(tape, *to);
    CHECK(tape.wanted(0));
    CHECK(tape.needed(0));
  }
  CHECK(dx == again);
  CHECK(dx.cwiseAbs().minCoeff() > 0);
  model.forward(tape, x);
  tape.output_gradient().setOnes();
  model.backward_params(tape, grad);
  CHECK_FALSE(tape.wanted(0));
}

TEST_CASE("Tape: the way back is that of the network that went forward, or of an equal one") {
  using Net = Sequential<Linear<>, Dropout>;
  const auto make = [](double p) { return Model<Net>(Net(Linear<>(6, 6), Dropout(p)), Rng(1)); };
  const auto one = make(0.1), equal = make(0.1), other = make(0.2);
  const Matrix<float> x = support::random_matrix<float>(6, 5, 2);
  Tape<float> tape = passed(one, x);
  Matrix<float> dx(6, 5);
  CHECK_THROWS_WITH_AS(other.backward_input(tape, dx),
                       "eigan::Model: the forward pass on this tape was another network's: layer 1: expected "
                       "Dropout(p=0.2), found Dropout(p=0.1)",
                       std::invalid_argument);
  CHECK_NOTHROW(equal.backward_input(tape, dx));
  // The tape of one serves the other for a whole pass.
  other.forward(tape, x, Rng(1));
  tape.output_gradient().setOnes();
  CHECK_NOTHROW(other.backward_input(tape, dx));
  other.forward(tape, x, Rng(1));
  tape.output_gradient().setOnes();
  Buffer<float> grad = one.zeros();
  CHECK_THROWS_AS(one.backward_params(tape, grad), std::invalid_argument);
}

TEST_CASE("Tape: in training batch normalisation wants more than one value of each channel") {
  const Model<Sequential<L, BatchNorm1d<6>>> model(Rng(1));
  const Matrix<float> x = support::random_matrix<float>(6, 5, 2), one = x.leftCols(1);
  Tape<float> tape = passed(model, x);
  CHECK_THROWS_WITH_AS(model.forward(tape, one),
                       "eigan::Model::forward: layer 1, BatchNorm1d(num_features=6, eps=1e-05): expected more than 1 "
                       "value of each channel in training, found a batch of 1",
                       std::invalid_argument);
  CHECK(tape.batch() == 5);  // nothing has changed
  const Model<Sequential<Input<6, 1, 1>, BatchNorm2d<6>>> pixel(Rng(1));
  auto of_pixel = pixel.tape(2);
  CHECK_THROWS_AS(pixel.forward(of_pixel, one), std::invalid_argument);
  // An image has more values than one.
  const Model<Sequential<Input<3, 1, 2>, BatchNorm2d<3>>> image(Rng(1));
  auto of_image = image.tape(1);
  CHECK_NOTHROW(image.forward(of_image, one));
}

TEST_CASE("Tape: a refused forward pass leaves the one before") {
  const Model<Sequential<L, Tanh>> model(Rng(1));
  const Matrix<float> x = support::random_matrix<float>(6, 5, 2), many(6, 9), narrow(5, 5);
  Tape<float> tape = passed(model, x);
  CHECK_THROWS_AS(model.forward(tape, many), std::invalid_argument);
  CHECK_THROWS_AS(model.forward(tape, narrow), std::invalid_argument);
  CHECK(tape.batch() == 5);
  Matrix<float> dx(6, 5), expected(6, 5);
  CHECK_NOTHROW(model.backward_input(tape, dx));
  Tape<float> other = passed(model, x);
  model.backward_input(other, expected);
  CHECK(support::same_bits(dx, expected));
}

TEST_CASE("Tape: a forward pass that fails leaves none to go back over") {
  Model<Sequential<L, Fails, BatchNorm1d<6>>> model(Rng(1));
  const Matrix<float> x = support::random_matrix<float>(6, 5, 2);
  Tape<float> tape = passed(model, x);
  Fails::now = true;
  CHECK_THROWS_WITH_AS(model.forward(tape, x), "no forward", std::runtime_error);
  Fails::now = false;
  CHECK(tape.batch() == 0);
  Buffer<float> grad = model.zeros();
  CHECK_THROWS_AS(tape.output_gradient(), std::invalid_argument);
  CHECK_THROWS_AS(model.backward_params(tape, grad), std::invalid_argument);
  CHECK_THROWS_AS(update_statistics(model, tape), std::invalid_argument);
  model.forward(tape, x);
  CHECK(tape.batch() == 5);
}

TEST_CASE("Tape: output_gradient before a forward pass says so") {
  const Model<Sequential<Linear<2, 1>>> model(Rng(1));
  auto tape = model.tape(3);
  const std::string text =
      "eigan::Tape::output_gradient: before a forward pass on this tape, which decides how many samples it has; keep "
      "model.forward's result in a variable before the loss is called";
  CHECK_THROWS_WITH_AS(tape.output_gradient(), text.c_str(), std::invalid_argument);
  CHECK_THROWS_WITH_AS(std::as_const(tape).output_gradient(), text.c_str(), std::invalid_argument);
}
