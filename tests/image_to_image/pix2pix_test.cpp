#include "image_to_image/pix2pix.hpp"

#include "steps.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

using namespace image_to_image;
using eigan::Matrix;
using test::mean_distance;

namespace {

constexpr Index batch = 6;

/// Grey pictures, and what belongs to them in colour.
TwoDomains pairs_of(Index a_channels) {
  TwoDomains pairs;
  pairs.paired = true;
  pairs.a = test::noise(batch, 16, a_channels, 1), pairs.b = test::noise(batch, 16, 3, 2);
  for (std::uint8_t& byte : pairs.b.bytes) byte = static_cast<std::uint8_t>(byte / 4);
  return pairs;
}

/// -log of the probability that logits give to what is wanted of them.
double cross_entropy(const Matrix<float>& logits, bool real) {
  return test::mean_of(logits, [=](double d) { return std::log1p(std::exp(real ? -d : d)); });
}

std::vector<float> copied(std::span<const float> params) {
  return {params.begin(), params.end()};
}

}  // namespace

TEST_CASE("Pix2Pix: a step follows the gradient of the losses") {
  const TwoDomains pairs = pairs_of(1);
  const Matrix<float> x = picture_matrix(pairs.a), y = picture_matrix(pairs.b);
  for (const auto& asked :
       {std::pair{Losses::both, 100.0}, {Losses::both, 1.0}, {Losses::gan, 100.0}, {Losses::l1, 3.0}}) {
    const Losses loss = asked.first;
    const double weight = asked.second;
    CAPTURE(static_cast<int>(loss));
    CAPTURE(weight);
    Recipe recipe = test::small_recipe(batch);
    recipe.loss = loss, recipe.l1_weight = weight;
    Pix2Pix method(recipe, pairs, 1, {1});
    const Generator before = method.a_to_b().clone();
    const AnyModel judge = method.discriminator().clone();
    const std::vector<double> said = method.step(0);
    const AnyModel& improved = method.discriminator();  // whom the generator's step asks

    const bool adversarial = loss != Losses::l1, has_l1 = loss != Losses::gan;
    const auto generated = [&](const Generator& g) {
      const Matrix<float> made = g.infer(x);
      return (adversarial ? cross_entropy(improved.infer({made, x}), true) : 0) +
             (has_l1 ? weight * mean_distance(made, y) : 0);
    };
    CHECK(test::slope_along(test::first_gradient(method, "generator.adam", recipe), before, generated) ==
          doctest::Approx(1).epsilon(0.01));
    CHECK(said[2] == doctest::Approx(mean_distance(before.infer(x), y) / 2).epsilon(1e-4));
    if (!adversarial) continue;
    const auto judged = [&](const AnyModel& d) {
      return cross_entropy(d.infer({y, x}), true) + cross_entropy(d.infer({before.infer(x), x}), false);
    };
    CHECK(test::slope_along(test::first_gradient(method, "discriminator.adam", recipe), judge, judged) ==
          doctest::Approx(1).epsilon(0.01));
    CHECK(said[0] == doctest::Approx(judged(judge)).epsilon(1e-4));
    CHECK(said[1] == doctest::Approx(cross_entropy(improved.infer({before.infer(x), x}), true)).epsilon(1e-4));
  }
}

TEST_CASE("Pix2Pix: pairs that are moved and mirrored stay pairs") {
  TwoDomains pairs = pairs_of(3);
  pairs.b = pairs.a;
  Recipe recipe = test::small_recipe(batch);
  recipe.jitter = 4, recipe.mirror = true;
  recipe.change = true;  // a generator that begins with what it is given
  Pix2Pix method(recipe, pairs, 1, {1});
  CHECK(method.step(0)[2] < 0.05);  // of independent noise 1/3
}

TEST_CASE("Pix2Pix: the learning rates fall with the schedule, and by what they are told") {
  const TwoDomains pairs = pairs_of(1);
  Recipe recipe = test::small_recipe(batch);
  recipe.epochs = 10, recipe.flat = 0;
  for (const auto& [step, rate, part] : {std::tuple{0, 1.0, 1.0}, {0, 0.25, 0.25}, {5, 1.0, 0.5}, {8, 0.5, 0.1}}) {
    Pix2Pix method(recipe, pairs, 1, {1});
    const std::vector<float> g = copied(method.a_to_b().params()), d = copied(method.discriminator().params());
    method.step(step, rate);
    // Adam's first step takes no parameter further than its rate, and most of them that far.
    CHECK(test::furthest(g, method.a_to_b().params()) / recipe.lr == doctest::Approx(part).epsilon(0.01));
    CHECK(test::furthest(d, method.discriminator().params()) / recipe.lr == doctest::Approx(part).epsilon(0.01));
  }
}

TEST_CASE("Pix2Pix: what is shown has the statistics of all training pictures, as the weights are now") {
  const TwoDomains pairs = pairs_of(3);
  const Matrix<float> x = picture_matrix(pairs.a);
  Recipe recipe = test::small_recipe(batch);
  recipe.norm = Norm::batch;
  recipe.lr = 0.01;
  Pix2Pix method(recipe, pairs, 1, {1});
  for (Index step = 0; step < 3; ++step) {
    const Generator shown = method.a_to_b().clone();
    eigan::Tape<float> tape = shown.tape(batch);
    const Matrix<float> trained =
        shown.forward(tape, x, eigan::Rng(1));  // by the statistics of this batch, which is all
    CHECK((shown.infer(x) - trained).cwiseAbs().maxCoeff() < 0.02F);
    method.step(step);
    CHECK(test::furthest(copied(shown.params()), method.a_to_b().params()) > 0.005F);
  }
}

TEST_CASE("Pix2Pix: an average that is taken is what is shown") {
  const TwoDomains pairs = pairs_of(1);
  Recipe recipe = test::small_recipe(batch);
  const auto moved = [&](double average) {
    recipe.average = average;
    Pix2Pix method(recipe, pairs, 1, {1});
    const std::vector<float> before = copied(method.a_to_b().params());
    method.step(0);
    return test::furthest(before, method.a_to_b().params()) / recipe.lr;
  };
  CHECK(moved(0) == doctest::Approx(1).epsilon(0.01));
  CHECK(moved(0.05) == doctest::Approx(0.95).epsilon(0.01));  // as decay begins small: at most 1/10
}
