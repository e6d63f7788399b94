#include <doctest/doctest.h>
#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <eigan/net/gradients.hpp>

#include "engines.hpp"
#include "net/by_hand.hpp"
#include "net/networks.hpp"
#include "support.hpp"

using namespace eigan;
using namespace networks;

namespace {

/// A tape ready for the way back.
Tape<float> passed(const BasicModel<float>& model, const std::vector<Matrix<float>>& inputs, const Matrix<float>& dy) {
  Tape<float> tape = model.tape(dy.cols());
  const std::vector<ConstView<float>> x(inputs.begin(), inputs.end());
  model.forward(tape, x, Draw{Rng(6), 0});
  tape.output_gradient() = dy;
  return tape;
}

/// Layers of one block, of many, and of a gradient that is split over samples, beside each other.
using Mixed = Sequential<Input<4, 4, 4>, Pointwise<4, 8>, Pointwise<8, 8>, Tanh, Pointwise<8, 4>>;

}  // namespace

TEST_CASE("Gradients: each parameter is told of once, behind its own gradient") {
  const auto check = [](const auto& model, Index batch) {
    std::vector<Matrix<float>> inputs;
    for (std::size_t i = 0; i < model.steps().inputs(); ++i)
      inputs.push_back(support::random_matrix<float>(model.input_size(i), batch, 2 + i));
    const auto dy = support::random_matrix<float>(model.output_size(), batch, 3);
    const auto expected = by_hand::train<float>(model, inputs, dy, Rng(6));
    for (const int threads : {1, 2, 3, 8}) {
      CAPTURE(threads);
      Tape<float> tape = passed(model, inputs, dy);
      Buffer<float> grad = model.zeros();
      std::vector<std::atomic<int>> told(static_cast<std::size_t>(grad.size()));
      std::atomic<bool> ready = true;
      model.backward_params(tape, grad, Threads{threads}, [&](Index first, Index count) {
        for (Index i = first; i < first + count; ++i) {
          ++told[static_cast<std::size_t>(i)];
          if (grad[i] != expected.grad[static_cast<std::size_t>(i)]) ready = false;
        }
      });
      CHECK(ready);
      CHECK(std::all_of(told.begin(), told.end(), [](const auto& times) { return times == 1; }));
    }
  };
  for (const Index batch : {1, 7, 40}) {
    check(Model<Chain>(Rng(1)), batch);
    check(Model<Mixed>(Rng(1)), batch);
    check(Model<UNet>(Rng(1)), batch);
  }
}

TEST_CASE("Gradients: a single block is computed by the calling thread, and of three the first two") {
  support::on_each_engine([] {
    const auto blocks_of_caller = [](const auto& model, int threads) {
      const std::vector<Matrix<float>> inputs{support::random_matrix<float>(model.input_size(), 640, 2)};
      Tape<float> tape = passed(model, inputs, support::random_matrix<float>(model.output_size(), 640, 3));
      Buffer<float> grad = model.zeros();
      std::atomic<int> own{0};
      const auto caller = std::this_thread::get_id();
      model.backward_params(tape, grad, Threads{threads}, [&](Index, Index) {
        if (std::this_thread::get_id() == caller) ++own;
      });
      return own.load();
    };
    for (const int threads : {2, 3, 8})
      CHECK(blocks_of_caller(Model<Sequential<Linear<784, 10>>>(Rng(1)), threads) == 1);
    using Three = Sequential<Linear<90, 90>, Linear<90, 90>, Linear<90, 90>>;
    CHECK(blocks_of_caller(Model<Three>(Rng(1)), 2) >= 2);  // the pool's caller may take the other as well
  });
}

TEST_CASE("Gradients: are added to what is there") {
  const Model<Mixed, double> model(Rng(1));
  const auto x = support::random_matrix<double>(64, 9, 2), dy = support::random_matrix<double>(64, 9, 3);
  Tape<double> tape = model.tape(9);
  Buffer<double> once = model.zeros(), on_top = model.zeros();
  std::fill(on_top.begin(), on_top.end(), 100.0);
  for (Buffer<double>* const grad : {&once, &on_top}) {
    model.forward(tape, x);
    tape.output_gradient() = dy;
    model.backward_params(tape, *grad, Threads{2});
  }
  for (Index i = 0; i < once.size(); ++i) REQUIRE(on_top[i] == doctest::Approx(once[i] + 100).epsilon(1e-12));
}

TEST_CASE("Gradients: a gradient split over samples has the same bits on a tape of any capacity") {
  const Model<Mixed> model(Rng(1));
  const auto x = support::random_matrix<float>(64, 9, 2), dy = support::random_matrix<float>(64, 9, 3);
  const auto expected = by_hand::train<float>(model, {x}, dy, Rng(6));
  for (const Index capacity : {9, 10, 100}) {
    Tape<float> tape = model.tape(capacity);
    for (const Index before : {capacity, Index{1}}) {  // what another batch leaves does not matter
      const auto other = support::random_matrix<float>(64, before, 7);
      Buffer<float> grad = model.zeros();
      model.forward(tape, other);
      tape.output_gradient().setOnes();
      model.backward_params(tape, grad);
      grad.zero();
      model.forward(tape, x);
      tape.output_gradient() = dy;
      model.backward_params(tape, grad, Threads{3});
      CHECK(support::same_bits<float>(grad, expected.grad));
    }
  }
}

#if defined(_OPENMP)
namespace {
std::atomic<unsigned> seen{0};
/// One parameter and much work: its gradient over a run of samples is the sum of dy.
struct Shift {
  static constexpr Index input = 1, output = 1;
  static constexpr bool backward_reads_x = false, backward_reads_y = false;
  double operations() const { return 1e7; }
  Index param_size() const { return 1; }
  Index gradient_splits(Index batch) const { return std::min<Index>(batch, 16); }
  template <class T>
  void init(std::span<T> p, Rng) const {
    p[0] = 1;
  }
  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    y = x.array() + p[0];
  }
  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    dx = dy;
  }
  template <class T>
  void backward_params(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, std::span<T> dp) const {
    seen |= 1u << omp_get_thread_num();
    dp[0] += dy.sum();
  }
};
}  // namespace

TEST_CASE("Gradients: few parameters and much work use all threads, by runs of samples") {
  const support::OnEngine openmp(Engine::openmp);
  const Model<Sequential<Shift>> model(Rng(1));
  const Matrix<float> x = Matrix<float>::Zero(1, 24);
  for (const int threads : {1, 2, 4, 8}) {
    Tape<float> tape = passed(model, {x}, Matrix<float>::Ones(1, 24));
    Buffer<float> grad = model.zeros();
    seen = 0;
    model.backward_params(tape, grad, Threads{threads});
    CHECK(std::popcount(seen.load()) == threads);
    CHECK(grad[0] == 24);
  }
}
#endif
