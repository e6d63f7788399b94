#include "evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iostream>

#include <eigan/core/random.hpp>
#include <eigan/data/mnist.hpp>
#include <eigan/io/atomic_file.hpp>

#include "kit/aligned.hpp"
#include "kit/exit_code.hpp"
#include "kit/json_object.hpp"
#include "kit/text.hpp"

#include "mnist_recogniser/part_of.hpp"

#include "commands.hpp"

namespace mnist_gan {
namespace {

using eigan::Matrix;
using eigan::Rng;

constexpr double noise = 0.3;  ///< standard deviation, of pixels in [-1, 1]

/// Those of training images drawn at random, so that each digit is as frequent as there; none where none can be asked
/// for.
std::vector<std::uint8_t> any_digits(const DigitGenerator& generator, const eigan::LabelledImages& train, Index count,
                                     std::uint64_t seed) {
  std::vector<std::uint8_t> digits(generator.latent().classes > 0 ? static_cast<std::size_t>(count) : 0);
  const Rng rng = Rng(seed).fold_in(stream::digits);
  for (std::size_t i = 0; i < digits.size(); ++i)
    digits[i] = train.labels[eigan::uniform_below(rng, i, static_cast<std::uint32_t>(train.count))];
  return digits;
}

Matrix<float> draw(const DigitGenerator& generator, double truncation, const std::vector<std::uint8_t>& digits,
                   Index count, std::uint64_t seed, eigan::Threads threads) {
  return generator.images(sample_input(generator.latent(), digits, count, seed, truncation), threads);
}

Matrix<float> with_noise(const Matrix<float>& images, Rng rng) {
  Matrix<float> added(images.rows(), images.cols());
  eigan::fill_normal<float>(added, 0, noise, rng);
  return (images + added).cwiseMax(-1.0f).cwiseMin(1.0f);
}

std::string with_error(double value, double error, int digits) {
  return concat(fixed(value, digits), " +- ", fixed(error, digits));
}

}  // namespace

Matrix<float> drawn(const DigitGenerator& generator, double truncation, const eigan::LabelledImages& train, Index count,
                    std::uint64_t seed, eigan::Threads threads) {
  return draw(generator, truncation, any_digits(generator, train, count, seed), count, seed, threads);
}

Index validation_count(Index holdout, Index images) {
  return held_out(holdout > 0 ? holdout : default_recipe().holdout, images);
}

Evaluation evaluate_generator(const DigitGenerator& generator, double truncation, Judge& judge,
                              const eigan::LabelledImages& train, Index count, std::uint64_t seed,
                              eigan::Threads threads, Index beside_last) {
  const Index real_count = std::min(count, train.count - beside_last);
  const auto digits = any_digits(generator, train, count, seed);
  Evaluation evaluation;
  const auto add = [&](std::string name, const Matrix<float>& images) {
    evaluation.rows.push_back({std::move(name), judge.full(images)});
  };
  const Matrix<float> images = draw(generator, truncation, digits, count, seed, threads);
  add("this generator", images);
  if (!digits.empty())
    evaluation.read_as_asked = static_cast<double>(judge.read_as(images, digits)) / static_cast<double>(count);
  const Matrix<float> real = image_matrix(train, 0, real_count);
  add("real training images", real);
  add(concat("real images, noise ", shortest(noise)), with_noise(real, Rng(seed).fold_in(stream::noise)));
  add("one real image repeated", real.col(0).replicate(1, count));
  add("untrained generator", draw(generator.untrained(), truncation, digits, count, seed, threads));

  evaluation.recogniser = judge.recogniser();
  evaluation.recogniser_accuracy = judge.accuracy();
  evaluation.truncation = truncation;
  evaluation.seed = seed;
  evaluation.held_out = beside_last;
  const Index never_seen = held_out(generator.recipe.holdout, train.count);
  const Index validation = validation_count(generator.recipe.holdout, train.count - beside_last);
  const std::string beside = beside_last == 0 ? std::string("the test images")
                                              : concat("the last ", grouped(beside_last),
                                                       " training images, of which this generator never saw ",
                                                       grouped(std::min(beside_last, never_seen)));
  evaluation.note = concat("Seed ", seed, ", truncation ", shortest(truncation), ", seen by ", evaluation.recogniser,
                           ", which knows ", fixed(100 * judge.accuracy(), 2), " % of ", beside,
                           ". Parzen's sigma was chosen on the ", beside_last == 0 ? "last " : "", grouped(validation),
                           " training images", beside_last == 0 ? "" : " before those",
                           beside_last + validation > never_seen ? ", though this generator was trained on them"
                                                                 : ", which this generator never saw");
  return evaluation;
}

std::vector<std::string> Evaluation::header() const {
  return {"",       "samples", "Inception Score", "Frechet", "TV",    "precision",
          "recall", "density", "coverage",        "Parzen",  "sigma", "novelty"};
}

std::vector<std::vector<std::string>> Evaluation::cells() const {
  std::vector<std::vector<std::string>> all;
  for (const auto& [name, s] : rows) {
    all.push_back({name, grouped(s.samples), with_error(s.inception, s.inception_error, 2), fixed(s.frechet, 2),
                   fixed(s.total_variation, 3), fixed(s.precision, 3), fixed(s.recall, 3), fixed(s.density, 3),
                   fixed(s.coverage, 3), with_error(s.parzen, s.parzen_error, 1), fixed(s.parzen_sigma, 3),
                   std::isfinite(s.novelty) ? fixed(s.novelty, 2) : "-"});  // none beside test images from the training
  }
  return all;
}

std::string evaluation_table(const Evaluation& evaluation) {
  auto lines = evaluation.cells();
  lines.insert(lines.begin(), evaluation.header());
  std::string text = aligned(lines) + "\n";
  std::vector<std::vector<std::string>> shares{{"share of each digit, %"}};
  for (int digit = 0; digit < 10; ++digit) shares.front().push_back(std::to_string(digit));
  for (const auto& [name, s] : evaluation.rows) {
    auto& line = shares.emplace_back(std::vector{name});
    for (const double share : s.shares) line.push_back(fixed(100 * share, 1));
  }
  text += aligned(shares) + "\n";
  if (evaluation.read_as_asked)
    text += concat("drawn as asked for: ", fixed(100 * *evaluation.read_as_asked, 2), " %\n");
  return text + evaluation.note + "\n";
}

std::string evaluation_json(const Evaluation& evaluation) {
  std::vector<JsonObject> rows;
  for (const auto& [name, s] : evaluation.rows) {
    rows.push_back(JsonObject()
                       .add("name", name)
                       .add("samples", s.samples)
                       .add("inception_score", s.inception)
                       .add("inception_score_error", s.inception_error)
                       .add("frechet_distance", s.frechet)
                       .add("shares", s.shares)
                       .add("total_variation", s.total_variation)
                       .add("precision", s.precision)
                       .add("recall", s.recall)
                       .add("density", s.density)
                       .add("coverage", s.coverage)
                       .add("parzen", s.parzen)
                       .add("parzen_error", s.parzen_error)
                       .add("parzen_sigma", s.parzen_sigma)
                       .add("novelty", s.novelty));
  }
  JsonObject object;
  object.add("rows", rows);
  if (evaluation.read_as_asked) object.add("read_as_asked", *evaluation.read_as_asked);
  return object.add("recogniser", evaluation.recogniser)
      .add("recogniser_accuracy", evaluation.recogniser_accuracy)
      .add("held_out", evaluation.held_out)
      .add("truncation", evaluation.truncation)
      .add("seed", evaluation.seed)
      .add("note", evaluation.note)
      .text();
}

int evaluate(const EvaluateOptions& options) {
  const eigan::Threads threads{options.threads};
  const auto generator = load_generator(options.model);
  const auto train = reading([&] { return eigan::load_mnist(options.data, eigan::Split::train); });
  const Index held_out = options.held_out, rest = train.count - held_out;
  if (held_out > 0 && rest < 100)
    throw BadInput(concat(eigan::printable(options.data), ": ", grouped(train.count), " images, of which --held-out ",
                          held_out, " leaves fewer than 100"));
  const auto known = mnist_recogniser::part_of(train, 0, rest);
  const auto beside = held_out > 0 ? mnist_recogniser::part_of(train, rest, held_out)
                                   : reading([&] { return eigan::load_mnist(options.data, eigan::Split::test); });
  Judge judge(options.recogniser, known, beside, validation_count(generator.recipe.holdout, rest), threads);
  const Evaluation evaluation = evaluate_generator(generator, options.truncation.value_or(generator.recipe.truncation),
                                                   judge, train, options.count, options.seed, threads, held_out);
  if (!options.json.empty()) eigan::write_file(options.json, evaluation_json(evaluation));
  std::cout << evaluation_table(evaluation) << std::flush;
  if (!std::cout) throw eigan::Error("standard output: cannot be written");
  return success;
}

}  // namespace mnist_gan
