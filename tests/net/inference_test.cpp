#include <doctest/doctest.h>
#include <cstddef>
#include <limits>
#include <vector>

#include <eigan/net/estimate_statistics.hpp>
#include <eigan/net/inference.hpp>

#include "allocations.hpp"
#include "net/by_hand.hpp"
#include "net/networks.hpp"
#include "support.hpp"

using namespace eigan;
using namespace networks;

namespace {

std::vector<Matrix<float>> random_inputs(const BasicModel<float>& model, Index n) {
  std::vector<Matrix<float>> inputs;
  for (std::size_t i = 0; i < model.steps().inputs(); ++i)
    inputs.push_back(support::random_matrix<float>(model.input_size(i), n, 20 + i));
  return inputs;
}

/// Inference of any number of samples, on one thread in tiles or on several, has its layers' bits.
template <class Net>
void check_bits() {
  Model<Net> model(Rng(1));
  // Statistics that no batch below has.
  for (std::size_t i = 0; i < model.state().size(); ++i) model.state()[i] = 0.5f + static_cast<float>(i % 7);
  Scratch<float> scratch = model.scratch(), narrow = model.scratch(5);
  for (const Index n : {1, 2, 3, 33, 100}) {
    CAPTURE(n);
    const auto inputs = random_inputs(model, n);
    const std::vector<ConstView<float>> x(inputs.begin(), inputs.end());
    const Matrix<float> expected = by_hand::infer<float>(model, inputs);
    for (Scratch<float>* const some : {&scratch, &narrow}) {
      Matrix<float> y = Matrix<float>::Constant(model.output_size(), n, std::numeric_limits<float>::quiet_NaN());
      model.infer(x, y, *some);
      CHECK(support::same_bits(y, expected));
    }
    for (const int threads : {1, 2, 3, 4, 8}) {
      CAPTURE(threads);
      CHECK(support::same_bits(model.infer(x, Threads{threads}), expected));
    }
  }
}

}  // namespace

TEST_CASE("Inference: has its layers' bits, for any number of samples and threads") {
  check_bits<Chain>();
  check_bits<Residuals>();
  check_bits<UNet>();
  check_bits<NormalizedUNet>();
  check_bits<Convolutions>();
}

TEST_CASE("Inference: batch normalisation uses its statistics, however many threads there are") {
  using B = BatchNorm1d<600>;
  check_bits<Sequential<B>>();
  check_bits<Sequential<B, Tanh, B, Linear<600, 600>, B>>();
}

TEST_CASE("Inference: what layers prepare once a pass follows the parameters") {
  Model model(Sequential(own::ExpGain{3}, Tanh{}, own::ExpGain{3}), Rng(1));
  const Matrix<float> x = support::random_matrix<float>(3, 4, 2);
  const Matrix<float> before = model.infer(x);
  auto scratch = model.scratch();
  Matrix<float> y(3, 4);
  model.infer(x, y, scratch);
  CHECK(support::same_bits(y, before));
  for (float& p : model.params()) p += 1;
  model.infer(x, y, scratch);
  CHECK(support::same_bits(y, by_hand::infer<float>(model, {x})));
  CHECK(support::same_bits(y, model.infer(x)));
  CHECK_FALSE(support::same_bits(y, before));
}

TEST_CASE("Inference: inputs are not written, and the output's surroundings stay") {
  // Every step could work in place.
  const Model<Sequential<Input<4>, Tanh, Residual<own::Negate>, Tanh>> model(Rng(1));
  const Matrix<float> x = support::random_matrix<float>(4, 9, 2), kept = x;
  Matrix<float> memory = Matrix<float>::Constant(6, 11, 9);
  View<float> y = View<float>(memory.data(), 4, 11, 6).columns(1, 9);
  auto scratch = model.scratch(2);
  model.infer(x, y, scratch);
  CHECK(support::same_bits(x, kept));
  CHECK(support::same_bits<float>(y, by_hand::infer<float>(model, {x})));
  y.setConstant(9);
  CHECK((memory.array() == 9).all());
}

TEST_CASE("Inference: with a scratch of its own allocates nothing" * doctest::skip(!support::counts_allocations)) {
  const auto check = [](const auto& model) {
    const auto inputs = random_inputs(model, 40);
    const std::vector<ConstView<float>> x(inputs.begin(), inputs.end());
    Matrix<float> y(model.output_size(), 40);
    auto scratch = model.scratch();
    model.infer(x, y, scratch);
    const long before = support::allocations();
    model.infer(x, y, scratch);
    CHECK(support::allocations() == before);
  };
  check(Model<Chain>(Rng(1)));
  check(Model<Residuals>(Rng(1)));
  check(Model<UNet>(Rng(1)));
  Model<NormalizedUNet> normalised(Rng(1));
  estimate_statistics(normalised, random_inputs(normalised, 20)[0]);
  check(normalised);
}
