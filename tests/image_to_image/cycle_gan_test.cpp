#include "image_to_image/cycle_gan.hpp"

#include "readers.hpp"
#include "steps.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

using namespace image_to_image;
using eigan::Matrix;
using test::mean_distance;

namespace {

constexpr Index batch = 6;

TwoDomains two_heaps() {
  TwoDomains heaps;
  heaps.a = test::noise(batch, 16, 3, 1), heaps.b = test::noise(batch, 16, 3, 2);
  for (std::uint8_t& byte : heaps.b.bytes) byte = static_cast<std::uint8_t>(byte / 4);  // darker
  return heaps;
}

Recipe small() {
  Recipe recipe = test::small_recipe(batch);
  recipe.architecture = Architecture::residual;
  recipe.pool = 0;
  return recipe;
}

double squared(const Matrix<float>& opinions, double wanted) {
  return test::mean_of(opinions, [=](double d) { return (d - wanted) * (d - wanted); });
}

/// Makes all weights larger: networks at their start hardly depend on what they are given.
struct Enlarge {
  template <class Part, class... Limits>
  void operator()(const std::string&, Part& part, const Limits&...) const {
    if constexpr (std::is_base_of_v<AnyModel, Part>)
      for (float& weight : part.params()) weight *= 8;
    else if constexpr (requires { part.visit_state(*this); })
      part.visit_state(*this);
  }
};

std::vector<float> copied(std::span<const float> params) {
  return {params.begin(), params.end()};
}

}  // namespace

TEST_CASE("CycleGan: a step follows the gradient of the losses, whatever weighs most") {
  const TwoDomains heaps = two_heaps();
  const Matrix<float> a = picture_matrix(heaps.a), b = picture_matrix(heaps.b);
  for (const auto& weights : {std::pair{0.0, 0.5}, {0.1, 0.0}, {10.0, 0.0}, {10.0, 0.5}, {0.1, 20.0}}) {
    const double cycle = weights.first, identity = weights.second;
    CAPTURE(cycle);
    CAPTURE(identity);
    Recipe recipe = small();
    recipe.cycle_weight = cycle, recipe.identity_weight = identity;
    CycleGan gan(recipe, heaps, 1, {1});
    gan.visit_state(Enlarge());
    const Generator to_b = gan.a_to_b().clone(), to_a = gan.b_to_a().clone();
    const AnyModel judge = gan.discriminator().clone();
    const std::vector<double> said = gan.step(0);

    const auto there = [&](const Generator& g) {
      const Matrix<float> made = g.infer(a);
      return squared(judge.infer(made), 1) +
             cycle * (mean_distance(to_a.infer(made), a) + mean_distance(g.infer(to_a.infer(b)), b) +
                      identity * mean_distance(g.infer(b), b));
    };
    const auto judged = [&](const AnyModel& d) { return squared(d.infer(b), 1) + squared(d.infer(to_b.infer(a)), 0); };
    CHECK(test::slope_along(test::first_gradient(gan, "b.generator.adam", recipe), to_b, there) ==
          doctest::Approx(1).epsilon(0.01));
    CHECK(test::slope_along(test::first_gradient(gan, "b.discriminator.adam", recipe), judge, judged) ==
          doctest::Approx(1).epsilon(0.01));

    CHECK(said[1] == doctest::Approx(judged(judge)).epsilon(1e-4));
    const double back = (mean_distance(to_a.infer(to_b.infer(a)), a) + mean_distance(to_b.infer(to_a.infer(b)), b)) / 4;
    CHECK(said[3] == doctest::Approx(cycle > 0 ? back : 0).epsilon(1e-4));
    const double same = (mean_distance(to_b.infer(b), b) + mean_distance(to_a.infer(a), a)) / 4;
    CHECK(said[4] == doctest::Approx(identity > 0 ? same : 0).epsilon(1e-4));
  }
}

TEST_CASE("CycleGan: translations are to mean what their source means, to who reads the source's domain") {
  TwoDomains heaps;
  heaps.a = test::noise(batch, 28, 1, 1), heaps.b = test::noise(batch, 28, 1, 2);
  const Matrix<float> a = picture_matrix(heaps.a), b = picture_matrix(heaps.b);
  const AnyModel reader_of_a = test::reader(1), reader_of_b = test::reader(2);
  for (const auto& weights : {std::pair{1.0, 0.0}, {0.3, 0.0}, {3.0, 0.1}}) {
    const double semantic = weights.first, cycle = weights.second;
    CAPTURE(semantic);
    Recipe recipe = small();
    recipe.semantic_weight = semantic, recipe.cycle_weight = cycle, recipe.identity_weight = 0;
    CycleGan gan(recipe, heaps, 1, {1}, {&reader_of_a, &reader_of_b});
    gan.visit_state(Enlarge());
    const Generator to_b = gan.a_to_b().clone(), to_a = gan.b_to_a().clone();
    const AnyModel judge_of_b = gan.discriminator().clone();
    const std::vector<double> said = gan.step(0);

    const auto there = [&](const Generator& g) {
      const Matrix<float> made = g.infer(a);
      return squared(judge_of_b.infer(made), 1) +
             cycle * (mean_distance(to_a.infer(made), a) + mean_distance(g.infer(to_a.infer(b)), b)) +
             semantic * test::meaning_lost(reader_of_a, a, made);
    };
    CHECK(test::slope_along(test::first_gradient(gan, "b.generator.adam", recipe), to_b, there) ==
          doctest::Approx(1).epsilon(0.01));
    REQUIRE(gan.columns().size() == said.size());
    CHECK(gan.columns().back().name == "semantic");
    const double lost =
        test::meaning_lost(reader_of_a, a, to_b.infer(a)) + test::meaning_lost(reader_of_b, b, to_a.infer(b));
    CHECK(said.back() == doctest::Approx(lost / 2).epsilon(1e-4));
  }
}

TEST_CASE("CycleGan: nobody is asked for a meaning that has no weight") {
  TwoDomains heaps;
  heaps.a = test::noise(batch, 28, 1, 1), heaps.b = test::noise(batch, 28, 1, 2);
  const AnyModel reader = test::reader(1);
  Recipe recipe = small();
  CycleGan gan(recipe, heaps, 1, {1}, {&reader, &reader}), without(recipe, heaps, 1, {1});
  recipe.semantic_weight = 1;
  CycleGan with(recipe, heaps, 1, {1}, {&reader, &reader});
  for (Index step = 0; step < 2; ++step) {
    const std::vector<double> said = gan.step(step);
    CHECK(said.size() == gan.columns().size());
    CHECK(said == without.step(step));
    with.step(step);
  }
  CHECK(std::ranges::equal(gan.a_to_b().params(), without.a_to_b().params()));
  CHECK(std::ranges::equal(gan.b_to_a().params(), without.b_to_a().params()));
  CHECK(!std::ranges::equal(gan.a_to_b().params(), with.a_to_b().params()));
  CHECK(!std::ranges::equal(gan.b_to_a().params(), with.b_to_a().params()));
  for (const Readers& readers : {Readers{}, {&reader, nullptr}, {nullptr, &reader}})
    CHECK_THROWS_AS(CycleGan(recipe, heaps, 1, {1}, readers), std::invalid_argument);
}

TEST_CASE("CycleGan: the learning rates fall with the schedule, and by what they are told") {
  const TwoDomains heaps = two_heaps();
  Recipe recipe = small();
  recipe.epochs = 10, recipe.flat = 0;
  for (const auto& [step, rate, part] : {std::tuple{0, 1.0, 1.0}, {0, 0.25, 0.25}, {5, 1.0, 0.5}, {8, 0.5, 0.1}}) {
    CycleGan gan(recipe, heaps, 1, {1});
    const std::vector<float> g = copied(gan.a_to_b().params()), f = copied(gan.b_to_a().params()),
                             d = copied(gan.discriminator().params());
    gan.step(step, rate);
    // Adam's first step takes no parameter further than its rate, and most of them that far.
    CHECK(test::furthest(g, gan.a_to_b().params()) / recipe.lr == doctest::Approx(part).epsilon(0.01));
    CHECK(test::furthest(f, gan.b_to_a().params()) / recipe.lr == doctest::Approx(part).epsilon(0.01));
    CHECK(test::furthest(d, gan.discriminator().params()) / recipe.lr == doctest::Approx(part).epsilon(0.01));
  }
}

TEST_CASE("CycleGan: discriminators are shown past translations") {
  const TwoDomains heaps = two_heaps();
  Recipe with = small(), without = small();
  with.pool = batch;
  CycleGan gan(with, heaps, 1, {1}), other(without, heaps, 1, {1});
  const Matrix<float> made = gan.a_to_b().infer(picture_matrix(heaps.a));
  const auto alike = [&] { return std::ranges::equal(gan.discriminator().params(), other.discriminator().params()); };
  gan.step(0), other.step(0);
  CHECK(alike());  // the pool fills, and gives nothing back yet
  const std::vector<float> pool = test::kept(gan, "b.pool.samples");
  REQUIRE(std::ssize(pool) == made.size());
  for (Index j = 0; j < batch; ++j) {  // in the order of the step
    const Matrix<float> kept = Eigen::Map<const Eigen::VectorXf>(pool.data() + j * made.rows(), made.rows());
    CHECK((made.colwise() - kept.col(0)).cwiseAbs().colwise().maxCoeff().minCoeff() < 1e-5F);
  }
  gan.step(1), other.step(1);
  CHECK(!alike());
}
