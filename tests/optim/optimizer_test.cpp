#include <doctest/doctest.h>
#include <algorithm>
#include <limits>
#include <stdexcept>
#include <vector>

#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/estimate_statistics.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/residual.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/net/skip_connection.hpp>
#include <eigan/optim/adam.hpp>
#include <eigan/optim/adamw.hpp>
#include <eigan/optim/optimizer.hpp>
#include <eigan/optim/rmsprop.hpp>
#include <eigan/optim/sgd.hpp>

#include "net/own_images.hpp"
#include "support.hpp"

using namespace eigan;

namespace {

struct NoClock {
  void update(std::span<float>, std::span<const float>, Index, Index) {}
};
static_assert(!Optimizer<NoClock>);
static_assert(Optimizer<Adam<float>> && Optimizer<Adam<double>, double> && !Optimizer<Adam<double>, float>);
static_assert(Optimizer<AdamW<float>> && Optimizer<AdamW<double>, double>);
static_assert(Optimizer<RMSprop<float>> && Optimizer<RMSprop<double>, double>);
static_assert(Optimizer<SGD<float>> && Optimizer<SGD<double>, double>);

/// A parametric layer that states no blocks: y_i = x_i + p_i.
struct Shift {
  static constexpr Index input = 6, output = 6;
  Index param_size() const { return 6; }
  template <class T>
  void init(std::span<T> p, Rng) const {
    std::fill(p.begin(), p.end(), T(1));
  }
  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    for (Index j = 0; j < x.cols(); ++j)
      for (Index i = 0; i < 6; ++i) y(i, j) = x(i, j) + p[static_cast<std::size_t>(i)];
  }
  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    dx = dy;
  }
  template <class T>
  void backward_params(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp) const {
    for (Index j = 0; j < x.cols(); ++j)
      for (Index i = 0; i < 6; ++i) dp[static_cast<std::size_t>(i)] += dy(i, j);
  }
};

/// Throws when half of its gradient is written.
struct Fails : Shift {
  template <class T>
  void backward_params(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T>, std::span<T> dp) const {
    dp[0] += 7;
    throw std::runtime_error("amid");
  }
};

using Net = Sequential<Linear<300, 120>, LeakyReLU, Dropout, Linear<120, 6>, Shift, Linear<6, 1>>;

/// Three steps in one sweep and three in three calls.
template <class O>
void check_fused_step(const O& options, Threads threads) {
  Model<Net> fused(Rng(1)), separate(Rng(1));
  using Optim = decltype(O::make(0));
  Optim fused_optimizer = options.make(fused.param_size()), optimizer = options.make(fused.param_size());
  auto fused_tape = fused.tape(50), tape = separate.tape(50);
  Buffer<float> fused_grad = fused.zeros();
  for (std::uint64_t step = 0; step < 3; ++step) {
    const Matrix<float> x = support::random_matrix<float>(300, 50, 10 + step);
    const Matrix<float> dy = support::random_matrix<float>(1, 50, 20 + step);
    fused.forward(fused_tape, x, Rng(step));
    fused_tape.output_gradient() = dy;
    backward_and_step(fused, fused_tape, fused_optimizer, fused_grad, threads);

    Buffer<float> grad = separate.zeros();
    separate.forward(tape, x, Rng(step));
    tape.output_gradient() = dy;
    separate.backward_params(tape, grad, Threads{1});
    optimizer.step(separate.params(), grad);
    REQUIRE(support::same_bits<float>(fused.params(), separate.params()));
  }
  // What the next step adds to.
  CHECK(std::all_of(fused_grad.begin(), fused_grad.end(), [](float g) { return g == 0; }));
}

struct MakeAdam {
  static Adam<float> make(Index size) { return Adam<float>(size, {.lr = 0.01, .weight_decay = 0.1}); }
};
struct MakeAdamW {
  static AdamW<float> make(Index size) { return AdamW<float>(size, {.lr = 0.01, .weight_decay = 0.1}); }
};
struct MakeRMSprop {
  static RMSprop<float> make(Index size) { return RMSprop<float>(size, {.lr = 0.01, .momentum = 0.9}); }
};
struct MakeSGD {
  static SGD<float> make(Index size) { return SGD<float>(size, {.lr = 0.01, .momentum = 0.9, .nesterov = true}); }
};

}  // namespace

TEST_CASE("backward_and_step: zero, backward and step in one sweep, to the last bit") {
  for (const int threads : {1, 2, 3}) {
    CAPTURE(threads);
    check_fused_step(MakeAdam{}, Threads{threads});
    check_fused_step(MakeAdamW{}, Threads{threads});
    check_fused_step(MakeRMSprop{}, Threads{threads});
    check_fused_step(MakeSGD{}, Threads{threads});
  }
}

TEST_CASE("backward_and_step: agrees with a step by hand over batch normalisation, whose statistics nobody touches") {
  using Norm =
      Sequential<Linear<20, 30>, BatchNorm1d<30>, Tanh, Residual<Linear<30, 30>, BatchNorm1d<30>>, Linear<30, 2>>;
  Model<Norm> fused(Rng(1)), separate(Rng(1));
  const AdamOptions options{.lr = 0.01, .weight_decay = 0.5};
  Adam<float> fused_adam(fused.param_size(), options), adam(separate.param_size(), options);
  auto fused_tape = fused.tape(40), tape = separate.tape(40);
  Buffer<float> fused_grad = fused.zeros();
  const Matrix<float> x = support::random_matrix<float>(20, 40, 2), dy = support::random_matrix<float>(2, 40, 3);
  fused.forward(fused_tape, x);
  update_statistics(fused, fused_tape), update_statistics(separate, fused_tape);
  const auto statistics = support::copy_of<float>(fused.state());
  for (int step = 0; step < 5; ++step) {
    fused.forward(fused_tape, x);
    fused_tape.output_gradient() = dy;
    backward_and_step(fused, fused_tape, fused_adam, fused_grad, Threads{2});
    Buffer<float> grad = separate.zeros();
    separate.forward(tape, x);
    tape.output_gradient() = dy;
    separate.backward_params(tape, grad);
    adam.step(separate.params(), grad);
    REQUIRE(support::same_bits<float>(fused.params(), separate.params()));
  }
  CHECK(support::same_bits<float>(fused.state(), statistics));
  CHECK(support::same_bits<float>(separate.state(), statistics));
  CHECK(support::same_bits<float>(fused.infer(x), separate.infer(x)));
  // Gamma and beta are parameters like all others: decay and gradient move them.
  const auto tensors = fused.parameters();
  CHECK(tensors[2].name == "1.weight");
  CHECK(fused.params()[static_cast<std::size_t>(tensors[2].offset)] != 1);
  CHECK(fused.params()[static_cast<std::size_t>(tensors[3].offset)] != 0);
}

TEST_CASE("backward_and_step: over branches and a gradient that is split over samples") {
  using Branches =
      Sequential<Input<3, 4, 4>, own::Pointwise<3, 8>, Tanh,
                 SkipConnection<own::Halve, own::Pointwise<8, 8>, Dropout, own::Twice>, own::Pointwise<16, 2>>;
  for (const int threads : {1, 2, 8}) {
    Model<Branches> fused(Rng(1)), separate(Rng(1));
    Adam<float> fused_adam = MakeAdam::make(fused.param_size()), adam = MakeAdam::make(fused.param_size());
    auto fused_tape = fused.tape(9), tape = separate.tape(9);
    Buffer<float> fused_grad = fused.zeros();
    for (std::uint64_t step = 0; step < 3; ++step) {
      const auto x = support::random_matrix<float>(48, 9, 10 + step),
                 dy = support::random_matrix<float>(32, 9, 20 + step);
      fused.forward(fused_tape, x, Rng(step));
      fused_tape.output_gradient() = dy;
      backward_and_step(fused, fused_tape, fused_adam, fused_grad, Threads{threads});
      Buffer<float> grad = separate.zeros();
      separate.forward(tape, x, Rng(step));
      tape.output_gradient() = dy;
      separate.backward_params(tape, grad, Threads{1});
      adam.step(separate.params(), grad);
      REQUIRE(support::same_bits<float>(fused.params(), separate.params()));
    }
    CHECK(std::all_of(fused_grad.begin(), fused_grad.end(), [](float g) { return g == 0; }));
  }
}

TEST_CASE("backward_and_step: one step of the clock, however many blocks there are") {
  Model<Net> model(Rng(1));
  CHECK(model.net().layer<0>().block_count() > 2);
  Adam<float> adam(model.param_size());
  auto tape = model.tape(4);
  Buffer<float> grad = model.zeros();
  const Matrix<float> x = support::random_matrix<float>(300, 4, 1);
  for (int step = 1; step <= 2; ++step) {
    model.forward(tape, x, Rng(2));
    tape.output_gradient().setOnes();
    backward_and_step(model, tape, adam, grad);
    CHECK(adam.steps() == step);
  }
}

TEST_CASE("backward_and_step: an optimiser of another size is refused before anything has changed") {
  Model<Net> model(Rng(1));
  Adam<float> adam(model.param_size() - 1);
  auto tape = model.tape(4);
  Buffer<float> grad = model.zeros();
  const Matrix<float> x = support::random_matrix<float>(300, 4, 1);
  const auto before = support::copy_of<float>(model.params());
  model.forward(tape, x, Rng(2));
  tape.output_gradient().setOnes();
  CHECK_THROWS_AS(backward_and_step(model, tape, adam, grad), std::invalid_argument);
  CHECK(adam.steps() == 0);
  CHECK(support::same_bits<float>(model.params(), before));
  CHECK(std::all_of(grad.begin(), grad.end(), [](float g) { return g == 0; }));
}

TEST_CASE("backward_and_step: a tape without a pass is refused before the clock advances") {
  Model<Net> model(Rng(1));
  Adam<float> adam(model.param_size());
  auto tape = model.tape(4);
  Buffer<float> grad = model.zeros();
  CHECK_THROWS_AS(backward_and_step(model, tape, adam, grad), std::invalid_argument);
  CHECK(adam.steps() == 0);
}

TEST_CASE("backward_and_step: a tape without a loss, or a second step from one, is refused before the clock advances") {
  Model<Net> model(Rng(1));
  Adam<float> adam(model.param_size());
  auto tape = model.tape(4);
  Buffer<float> grad = model.zeros();
  const Matrix<float> x = support::random_matrix<float>(300, 4, 1);
  model.forward(tape, x, Rng(2));
  const auto before = support::copy_of<float>(model.params());
  CHECK_THROWS_AS(backward_and_step(model, tape, adam, grad), std::invalid_argument);
  CHECK(adam.steps() == 0);
  CHECK(support::same_bits<float>(model.params(), before));
  tape.output_gradient().setOnes();
  backward_and_step(model, tape, adam, grad);
  const auto after = support::copy_of<float>(model.params());
  CHECK_THROWS_AS(backward_and_step(model, tape, adam, grad), std::invalid_argument);
  CHECK(adam.steps() == 1);
  CHECK(support::same_bits<float>(model.params(), after));
}

TEST_CASE("optimisers: an update of no elements changes nothing, and refuses settings that are out of range") {
  const auto check = [](auto optimizer) {
    std::vector<float> p{1, 2}, g{3, 4};
    CHECK_NOTHROW(optimizer.update(p, g, 0, 0));
    CHECK(p == std::vector<float>{1, 2});
    optimizer.options().lr = std::numeric_limits<double>::quiet_NaN();
    CHECK_THROWS_AS(optimizer.update(p, g, 0, 0), std::invalid_argument);
  };
  check(Adam<float>(2));
  check(AdamW<float>(2));
  check(RMSprop<float>(2));
  check(SGD<float>(2, {.lr = 0.1}));
}

TEST_CASE("backward_and_step: a layer that throws leaves no part of a gradient to the next step") {
  Model<Sequential<Fails, Linear<6, 6>, Tanh>> model(Rng(1));
  auto tape = model.tape(4);
  Buffer<float> grad = model.zeros();
  const Matrix<float> x = support::random_matrix<float>(6, 4, 1);
  const auto check = [&](const auto&... clip) {
    Adam<float> adam(model.param_size());
    std::fill(grad.begin(), grad.end(), 0.5f);  // a penalty's
    model.forward(tape, x);
    tape.output_gradient().setOnes();
    CHECK_THROWS_WITH_AS(backward_and_step(model, tape, adam, grad, clip..., Threads{1}), "amid", std::runtime_error);
    CHECK(std::all_of(grad.begin(), grad.end(), [](float g) { return g == 0; }));
  };
  check();
  check(ClipGrad{.norm = 1});
}
