#include <doctest/doctest.h>

#include <eigan/layers/dropout.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/relu.hpp>
#include <eigan/layers/sigmoid.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/net/tape.hpp>

#include "net/by_hand.hpp"
#include "support.hpp"

using namespace eigan;

namespace {

/// y = x^2, and backward needs x: nobody may write over it.
struct Square {
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_y = false;
  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    y = x.array().square().matrix();
  }
  template <class T>
  void backward_input(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    dx = 2 * x.array() * dy.array();
  }
};
static_assert(Layer<Square>);

/// y = -x, which needs nothing on the way back and may always work in place.
struct Negate {
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false;
  static constexpr bool backward_reads_y = false;
  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    y = -x;
  }
  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    dx = -dy;
  }
};

/// y_i = p_i x_i: element-wise, but x and dy are still needed for its parameters after dx is computed.
struct Scale {
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_y = false;
  Index size = 6;
  Index param_size() const { return size; }
  template <class T>
  void init(std::span<T> p, Rng rng) const {
    fill_uniform(View<T>(p.data(), size, 1), 0.5, 2, rng);
  }
  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    for (Index j = 0; j < x.cols(); ++j)
      for (Index i = 0; i < size; ++i) y(i, j) = p[static_cast<std::size_t>(i)] * x(i, j);
  }
  template <class T>
  void backward_input(std::span<const T> p, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    forward<T>(p, dy, dx);
  }
  template <class T>
  void backward_params(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp) const {
    for (Index j = 0; j < x.cols(); ++j)
      for (Index i = 0; i < size; ++i) dp[static_cast<std::size_t>(i)] += x(i, j) * dy(i, j);
  }
};
static_assert(ParametricLayer<Scale> && !BlockedLayer<Scale>);

/// A training pass through a tape against the same by hand, to the last bit.
template <class Net>
void check_combination(const Net& net) {
  INFO(net.architecture());
  constexpr Index batch = 37;  // two tiles
  Model<Net> model(net, Rng(2));
  const Matrix<float> x = support::random_matrix<float>(net.input_size(), batch, 3);
  const Matrix<float> dy = support::random_matrix<float>(net.output_size(), batch, 4);
  const Rng rng(5);
  const auto expected = by_hand::train<float>(net, std::as_const(model).params(), x, dy, rng);

  auto tape = model.tape(40);
  Matrix<float> dx(x.rows(), batch);
  Buffer<float> grad = model.zeros();
  CHECK(support::same_bits<float>(model.forward(tape, x, rng), expected.levels.back()));
  tape.output_gradient() = dy;
  model.backward(tape, grad, dx);
  CHECK(support::same_bits<float>(dx, expected.gradients.front()));
  CHECK(support::same_bits<float>(grad, expected.grad));
}

}  // namespace

TEST_CASE("Tape: whatever layers share memory, a pass is the same as with memory for each") {
  using L = Linear<6, 6>;
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
    CHECK(tape.rng().key() == Rng(9).key());
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
  Matrix<float> three(3, 8);
  CHECK_THROWS_WITH_AS(bound.bind_output(three), "eigan::Tape::bind_output: expected 2 features, got 3",
                       std::invalid_argument);
}
