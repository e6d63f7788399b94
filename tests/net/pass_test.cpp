#include <doctest/doctest.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <span>
#include <utility>
#include <vector>

#include <eigan/net/pass.hpp>

#include "allocations.hpp"
#include "engines.hpp"
#include "net/by_hand.hpp"
#include "net/networks.hpp"
#include "support.hpp"

using namespace eigan;
using namespace networks;

namespace {

using Matrices = std::vector<Matrix<float>>;

Matrices random_inputs(const BasicModel<float>& model, Index batch) {
  Matrices inputs;
  for (std::size_t i = 0; i < model.steps().inputs(); ++i)
    inputs.push_back(support::random_matrix<float>(model.input_size(i), batch, 20 + i));
  return inputs;
}
std::vector<ConstView<float>> views(const Matrices& inputs) {
  return {inputs.begin(), inputs.end()};
}

/// A training pass through the tape: the output, the gradients of all inputs and of the parameters.
struct Result {
  Matrix<float> y;
  Matrices dx;
  Buffer<float> grad;
};
Result train(const BasicModel<float>& model, Tape<float>& tape, const Matrices& inputs, const Matrix<float>& dy,
             Threads threads) {
  Result result{{}, inputs, model.zeros()};
  result.y = model.forward(tape, views(inputs), Draw{Rng(6), 0}, threads);
  tape.output_gradient() = dy;
  const std::vector<View<float>> dx(result.dx.begin(), result.dx.end());
  model.backward_inputs(tape, dx, threads);
  model.forward(tape, views(inputs), Draw{Rng(6), 0}, threads);
  tape.output_gradient() = dy;
  model.backward_params(tape, result.grad, threads);
  return result;
}

/// Passes of any batch on any number of threads have the bits of the layers' own functions, one after the other.
template <class Net>
void check_bits(Index most = 100, Index least = 1) {
  const Model<Net> model(Rng(1));
  Tape<float> tape = model.tape(most);
  for (const Index batch : {Index{1}, Index{2}, Index{3}, Index{33}, Index{100}}) {
    if (batch > most || batch < least) continue;
    const Matrices inputs = random_inputs(model, batch);
    const auto dy = support::random_matrix<float>(model.output_size(), batch, 3);
    const auto expected = by_hand::train<float>(model, inputs, dy, Rng(6));
    support::on_each_engine([&] {
      for (const int threads : {1, 2, 3, 4, 8}) {
        INFO(batch, " samples on ", threads, " threads");
        const Result found = train(model, tape, inputs, dy, Threads{threads});
        CHECK(support::same_bits<float>(found.y, expected.y()));
        for (std::size_t i = 0; i < inputs.size(); ++i) CHECK(support::same_bits<float>(found.dx[i], expected.dx(i)));
        CHECK(support::same_bits<float>(found.grad, expected.grad));
      }
    });
  }
}

}  // namespace

TEST_CASE("Pass: a chain of dense layers has its layers' bits, for any batch and number of threads") {
  check_bits<Chain>();
}

TEST_CASE("Pass: a residual network with dropout has its layers' bits, for any batch and number of threads") {
  check_bits<Residuals>();
}

TEST_CASE("Pass: a U-Net with dropout has its layers' bits, for any batch and number of threads") {
  check_bits<UNet>();
}

TEST_CASE("Pass: a U-Net with batch normalisation has its layers' bits, for any batch and number of threads") {
  check_bits<NormalizedUNet>();
}

TEST_CASE("Pass: convolutions have their layers' bits, for any batch and number of threads") {
  check_bits<Convolutions>();
}

TEST_CASE("Pass: layers that couple samples, at both ends and side by side") {
  using B = BatchNorm1d<40>;
  check_bits<Sequential<B>>(33, 2);
  check_bits<Sequential<B, Tanh, B, B>>(33, 2);
  check_bits<
      Sequential<B, Linear<40, 700>, Dropout, BatchNorm1d<700>, Linear<700, 40>, Residual<B>, Parallel<B, Tanh>>>(33,
                                                                                                                  2);
}

namespace {

/// y = (1 + channel) x, element-wise, as a mean and a deviation of each channel would be.
struct ChannelScale {
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false, backward_reads_y = false;
  Index channels = 3;
  double operations() const { return 1e6; }  // so that threads start
  Shape output_shape(Shape in) const { return in.channels == channels ? in : Shape{}; }
  ChannelScale at(Shape) const { return *this; }
  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    for (Index j = 0; j < x.cols(); ++j)
      for (Index i = 0; i < x.rows(); ++i) y(i, j) = x(i, j) * static_cast<T>(1 + i % channels);
  }
  template <class T>
  void backward_input(std::span<const T> p, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    forward<T>(p, dy, dx);
  }
};

}  // namespace

TEST_CASE("Pass: an element-wise layer that knows channels is cut into whole pixels") {
  const auto check = [](Shape shape) {
    CAPTURE(shape_text(shape));
    const Model model(Sequential(Input<>(shape.channels, shape.height, shape.width), ChannelScale{shape.channels}),
                      Rng(1));
    Tape<float> tape = model.tape(1);
    const Matrices inputs = random_inputs(model, 1);
    const auto dy = support::random_matrix<float>(model.output_size(), 1, 3);
    const auto expected = by_hand::train<float>(model, inputs, dy, Rng(6));
    for (const int threads : {1, 2, 3, 8}) {
      CAPTURE(threads);
      const Result found = train(model, tape, inputs, dy, Threads{threads});
      CHECK(support::same_bits<float>(found.y, expected.y()));
      CHECK(support::same_bits<float>(found.dx[0], expected.dx()));
    }
  };
  check({3, 100, 100});  // 4096 is no multiple of 3
  check({5000, 3, 3});   // a pixel is more than 4096 numbers
  check({20000});        // a vector is one pixel
}

TEST_CASE("Pass: the gradient of one input alone") {
  const Model<UNet> model(Rng(1));
  Tape<float> tape = model.tape(3);
  const Matrices inputs = random_inputs(model, 3);
  const auto dy = support::random_matrix<float>(model.output_size(), 3, 3);
  const auto expected = by_hand::train<float>(model, inputs, dy, Rng(6));
  for (const std::size_t wanted : {0u, 1u}) {
    CAPTURE(wanted);
    Matrix<float> dx(model.input_size(wanted), 3);
    std::array<View<float>, 2> all;
    all[wanted].rebind(dx);
    model.forward(tape, views(inputs), Draw{Rng(6), 0});
    tape.output_gradient() = dy;
    model.backward_inputs(tape, all);
    CHECK(support::same_bits<float>(dx, expected.dx(wanted)));
  }
}

TEST_CASE("Pass: a part of a batch draws what the whole batch draws, on any number of threads") {
  const Model<UNet> model(Rng(1));
  Tape<float> tape = model.tape(20);
  const Matrices inputs = random_inputs(model, 20);
  const auto dy = support::random_matrix<float>(model.output_size(), 20, 3);
  const auto whole = by_hand::train<float>(model, inputs, dy, Rng(6));
  for (const int threads : {1, 2, 8})
    for (const auto& range : {std::pair<Index, Index>{0, 7}, {7, 13}, {19, 1}}) {
      const Index first = range.first, count = range.second;
      INFO(count, " samples from ", first, " on ", threads, " threads");
      const std::array part{ConstView<float>(inputs[0]).columns(first, count),
                            ConstView<float>(inputs[1]).columns(first, count)};
      const auto y = model.forward(tape, part, Draw{Rng(6), first}, Threads{threads});
      CHECK(support::same_bits<float>(y, whole.y().middleCols(first, count)));
      tape.output_gradient() = dy.middleCols(first, count);
      Matrix<float> dx(model.input_size(), count);
      model.backward_input(tape, dx, Threads{threads});
      CHECK(support::same_bits<float>(dx, whole.dx().middleCols(first, count)));
    }
}

TEST_CASE("Pass: gradients of parts of a batch add up to the whole batch's") {
  const Model<Residuals, double> model(Rng(1));
  Tape<double> tape = model.tape(30);
  const auto x = support::random_matrix<double>(60, 30, 2),
             dy = support::random_matrix<double>(model.output_size(), 30, 3);
  Buffer<double> whole = model.zeros(), parts = model.zeros();
  model.forward(tape, x, Rng(6));
  tape.output_gradient() = dy;
  model.backward_params(tape, whole);
  for (const Index first : {0, 10, 20}) {
    const std::array part{ConstView<double>(x).columns(first, 10)};
    model.forward(tape, part, Draw{Rng(6), first});
    tape.output_gradient() = dy.middleCols(first, 10);
    model.backward_params(tape, parts);
  }
  double worst = 0;
  for (Index i = 0; i < whole.size(); ++i) worst = std::max(worst, std::abs(whole[i] - parts[i]));
  CHECK(worst < 1e-11);
}

TEST_CASE("Pass: nothing is allocated" * doctest::skip(!support::counts_allocations)) {
  const auto check = [](const auto& model, Index batch) {
    Tape<float> tape = model.tape(batch);
    const Matrices inputs = random_inputs(model, batch);
    const std::vector<ConstView<float>> x = views(inputs);
    Matrices gradients = inputs;
    const std::vector<View<float>> dx(gradients.begin(), gradients.end());
    Buffer<float> grad = model.zeros();
    const auto step = [&](int threads) {
      model.forward(tape, x, Draw{Rng(6), 0}, Threads{threads});
      tape.output_gradient().setOnes();
      model.backward_inputs(tape, dx, Threads{threads});
      model.forward(tape, x, Draw{Rng(6), 0}, Threads{threads});
      tape.output_gradient().setOnes();
      model.backward_params(tape, grad, Threads{threads});
    };
    for (const int threads : {1, 2, 4}) {
      CAPTURE(threads);
      support::warm_threads(threads);
      step(threads);
      const long before = support::allocations();
      step(threads);
      CHECK(support::allocations() == before);
    }
  };
  for (const Index batch : {1, 33}) {
    check(Model<Chain>(Rng(1)), batch);
    check(Model<Residuals>(Rng(1)), batch);
    check(Model<UNet>(Rng(1)), batch);
    check(Model<NormalizedUNet>(Rng(1)), batch);
    check(Model<Convolutions>(Rng(1)), batch);
  }
}

#if defined(_OPENMP)
namespace {

/// Who has been at work: bit t for thread t.
std::atomic<unsigned> seen{0};
void witness() {
  seen |= 1u << omp_get_thread_num();
}
int threads_seen() {
  return std::popcount(seen.exchange(0));
}

/// y = x, in 24 parts; counts as much work.
struct Parts {
  static constexpr Index input = 48, output = 48;
  static constexpr bool backward_reads_x = false, backward_reads_y = false;
  double operations() const { return 1e7; }
  Index part_count() const { return 24; }
  template <class T>
  void forward_parts(std::span<const T>, ConstView<T> x, View<T> y, Index first, Index last) const {
    witness();
    y.middleRows(2 * first, 2 * (last - first)) = x.middleRows(2 * first, 2 * (last - first));
  }
  template <class T>
  void backward_input_parts(std::span<const T> p, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx, Index first,
                            Index last) const {
    forward_parts<T>(p, dy, dx, first, last);
  }
  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    forward_parts<T>(p, x, y, 0, 24);
  }
  template <class T>
  void backward_input(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    backward_input_parts<T>(p, x, y, dy, dx, 0, 24);
  }
};

/// y = x, element by element.
struct Elements {
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false, backward_reads_y = false;
  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    witness();
    y = x;
  }
  template <class T>
  void backward_input(std::span<const T> p, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    forward<T>(p, dy, dx);
  }
};

/// How many threads take part in a forward pass and in the way back.
std::pair<int, int> at_work(const BasicModel<float>& model, Index batch, int threads) {
  Tape<float> tape = model.tape(batch);
  const Matrix<float> x = support::random_matrix<float>(model.input_size(), batch, 2);
  Matrix<float> dx = x;
  seen = 0;
  model.forward(tape, x, Rng(1), Threads{threads});
  const int forward = threads_seen();
  tape.output_gradient().setOnes();
  model.backward_input(tape, dx, Threads{threads});
  return {forward, threads_seen()};
}

}  // namespace

TEST_CASE("Pass: a batch of one, or of fewer tiles than threads, uses all threads") {
  const support::OnEngine openmp(Engine::openmp);
  const Model<Sequential<Parts>> parts(Rng(1));
  const Model<Sequential<Residual<Parts>>> inside(Rng(1));
  const Model<Sequential<Input<40000, 5, 5>, Elements>> elements(Rng(1));
  for (const int threads : {1, 2, 3, 4, 8}) {
    INFO(threads, " threads");
    const std::pair all{threads, threads};
    for (const Index batch : {1, 2, 3, 7, 33}) {
      CAPTURE(batch);
      CHECK(at_work(parts, batch, threads) == all);
      CHECK(at_work(inside, batch, threads) == all);
    }
    CHECK(at_work(elements, 1, threads) == all);
  }
}

TEST_CASE("Pass: many samples are shared tile by tile, and small work not at all") {
  const support::OnEngine openmp(Engine::openmp);
  using Dense = Sequential<Linear<300, 300>, Elements>;
  const Model<Dense> model(Rng(1));
  for (const int threads : {1, 2, 3}) CHECK(at_work(model, 100, threads) == std::pair{threads, threads});
  CHECK(at_work(model, 1, 2) == std::pair{1, 1});
  const Model<Sequential<Linear<20, 20>, Elements>> small(Rng(1));
  CHECK(at_work(small, 100, 4) == std::pair{1, 1});
}
#endif
