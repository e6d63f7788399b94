#include <doctest/doctest.h>
#include <algorithm>
#include <cstddef>
#include <limits>
#include <new>
#include <set>
#include <stdexcept>
#include <vector>

#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/parallel.hpp>
#include <eigan/net/residual.hpp>
#include <eigan/net/scratch.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/net/skip_connection.hpp>

#include "net/by_hand.hpp"
#include "net/own_layers.hpp"
#include "support.hpp"

using namespace eigan;

namespace {

/// The places of all levels but the inputs.
std::vector<const float*> places(const BasicModel<float>& model, Scratch<float>& scratch) {
  std::vector<const float*> all;
  for (std::size_t level = model.steps().inputs(); level < model.steps().levels().size(); ++level)
    all.push_back(scratch.level(level, 1).data());
  return all;
}
std::size_t count_places(const BasicModel<float>& model) {
  Scratch<float> scratch = model.scratch(4);
  const auto all = places(model, scratch);
  return std::set(all.begin(), all.end()).size();
}

/// No step's output lies over a level that it or a later step still reads, except for what works in place.
void check_liveness(const BasicModel<float>& model) {
  CAPTURE(model.architecture());
  const Steps<float>& net = model.steps();
  Scratch<float> scratch = model.scratch(4);
  const auto place = [&](std::size_t level) { return scratch.level(level, 1).data(); };
  for (std::size_t s = 0; s < net.steps().size(); ++s) {
    const Step<float>& step = net.steps()[s];
    for (std::size_t level = net.inputs(); level < step.writes; ++level) {
      std::size_t last_reader = 0;
      for (std::size_t r = 0; r < net.steps().size(); ++r)
        if (std::count(net.steps()[r].reads.begin(), net.steps()[r].reads.end(), level) > 0) last_reader = r;
      const bool in_place = last_reader == s && level == step.reads.back() &&
                            (step.kind == StepKind::sum || step.traits().elementwise) &&
                            std::count(step.reads.begin(), step.reads.end(), level) == 1;
      if (last_reader >= s && !in_place) CHECK(place(level) != place(step.writes));
    }
  }
  // And it computes right, with whatever was in the scratch before.
  const Matrix<float> x = support::random_matrix<float>(model.input_size(), 11, 3);
  Matrix<float> y(model.output_size(), 11);
  for (std::size_t level = net.inputs(); level < net.levels().size(); ++level)
    scratch.level(level, 4).setConstant(std::numeric_limits<float>::quiet_NaN());
  model.infer(x, y, scratch);
  CHECK(support::same_bits(y, by_hand::infer<float>(model, {x})));
}

using L = Linear<6, 6>;

}  // namespace

TEST_CASE("Scratch: a chain alternates between two places, each as wide as its widest level") {
  const Model<Sequential<Linear<1000, 30>, Linear<30, 50>, Linear<50, 40>, Linear<40, 1>>> model(Rng(1));
  Scratch<float> scratch = model.scratch(8);
  CHECK(scratch.tile() == 8);
  View<float> a = scratch.level(1, 8), b = scratch.level(2, 8), c = scratch.level(3, 5);
  CHECK(a.rows() == 30);
  CHECK(a.cols() == 8);
  CHECK(a.outerStride() == padded_stride<float>(30));
  CHECK(b.outerStride() == padded_stride<float>(50));
  a.setConstant(1);
  b.setConstant(2);
  CHECK((a.array() == 1).all());
  // A level lies where one lay that nobody reads any more, with its own padding.
  CHECK(c.data() == a.data());
  CHECK(c.rows() == 40);
  CHECK(c.cols() == 5);
  CHECK(c.outerStride() == padded_stride<float>(40));
  CHECK(count_places(model) == 2);
}

TEST_CASE("Scratch: a tile has a sample at least, and memory that no machine has is refused") {
  const Model<Sequential<Linear<3, 2>>> model(Rng(1));
  CHECK_THROWS_WITH_AS(model.scratch(0), "eigan::Scratch: a tile must have at least one sample, has 0",
                       std::invalid_argument);
  CHECK_THROWS_AS(model.scratch(-1), std::invalid_argument);
  for (const Index tile : {std::numeric_limits<Index>::max(), std::numeric_limits<Index>::max() / 8})
    CHECK_THROWS_AS(model.scratch(tile), std::bad_alloc);
  // One sample at a time is enough.
  Scratch<float> scratch = model.scratch(1);
  const Matrix<float> x = support::random_matrix<float>(3, 5, 2);
  Matrix<float> y(2, 5);
  model.infer(x, y, scratch);
  CHECK(support::same_bits(y, by_hand::infer<float>(model, {x})));
}

TEST_CASE("Scratch: element-wise layers and sums work in place, a level that is read again stays") {
  CHECK(count_places(Model<Sequential<L, Tanh, Tanh>>(Rng(1))) == 1);
  CHECK(count_places(Model<Sequential<L, own::Square, L, Tanh, L, Tanh, L, Tanh>>(Rng(1))) == 2);
  CHECK(count_places(Model<Sequential<L, Residual<L, Tanh>>>(Rng(1))) == 2);
  CHECK(count_places(Model<Sequential<L, Residual<L, Tanh>, Residual<L, Tanh, L>>>(Rng(1))) == 3);
  CHECK(count_places(Model<Sequential<L, Residual<Residual<Residual<L>>>>>(Rng(1))) == 2);
}

TEST_CASE("Scratch: no place is taken again while its level is still read") {
  check_liveness(Model<Sequential<L, Tanh, L, L, own::Square, L>>(Rng(1)));
  check_liveness(Model<Sequential<Residual<L, Tanh>, Residual<Tanh>, L, Residual<Tanh, Tanh>>>(Rng(1)));
  check_liveness(Model<Sequential<L, Residual<L, SkipConnection<L, Tanh>, Linear<12, 6>>, Tanh>>(Rng(1)));
  check_liveness(Model<Sequential<L, SkipConnection<Residual<L, Tanh>, Residual<Tanh, L>>, Linear<12, 6>>>(Rng(1)));
  check_liveness(Model<Sequential<L, Parallel<Tanh, Tanh, L, own::Square, Residual<L>>, Linear<30, 3>>>(Rng(1)));
  check_liveness(Model<Sequential<Input<6>, SkipConnection<SkipConnection<Tanh>>, Linear<18, 2>>>(Rng(1)));
}

TEST_CASE("Scratch: a level that a later step reads as well is not written over, whichever list reads it") {
  // Sums and concatenations of what layers read between, also twice the same.
  Steps<float> net({Shape{6}});
  const auto a = net.add(L(), 0, "a"), b = net.add(Tanh(), a, "b"), c = net.sum({b, b}, "c");
  const auto d = net.add(Tanh(), b, "d"), e = net.sum({c, a, d}, "e"), f = net.concatenate({e, b, e}, "f");
  const auto g = net.add(Linear<18, 6>(), f, "g");
  net.sum({g, e}, "h");
  check_liveness({std::make_shared<const Steps<float>>(std::move(net)), "by hand", Rng(1)});
}
