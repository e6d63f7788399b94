// `mnist_gan race`: how long it takes from nothing to samples of a given quality.
#include <iostream>

#include <eigan/core/error.hpp>
#include <eigan/data/mnist.hpp>

#include "kit/clock.hpp"
#include "kit/exit_code.hpp"
#include "kit/text.hpp"

#include "commands.hpp"
#include "evaluate.hpp"
#include "gan.hpp"
#include "generator.hpp"
#include "judge.hpp"

namespace mnist_gan {

int race(const RaceOptions& options, Clock::time_point start) {
  const Recipe& recipe = options.recipe;
  const eigan::Threads threads{options.threads};
  const auto images = reading([&] { return eigan::load_mnist(options.data, eigan::Split::train); });
  const auto test = reading([&] { return eigan::load_mnist(options.data, eigan::Split::test); });
  const Judge judge(options.recogniser, images, test, 0, threads);
  Gan gan(recipe, images, options.seed, threads);
  const Index all = recipe.epochs * gan.steps_per_epoch();

  QuickScores scores;
  for (Index step = 1; step <= all; ++step) {
    gan.step(step - 1);
    if (step % options.every != 0 && step < all) continue;
    const DigitGenerator generator{gan.generator().clone(), recipe};
    scores = judge.quick(drawn(generator, recipe.truncation, images, options.count, options.seed, threads));
    if (scores.inception >= options.inception && scores.frechet <= options.frechet) {
      std::cout << fixed(seconds_since(start), 2) << " s, " << step << " steps: Inception Score "
                << fixed(scores.inception, 2) << ", Frechet distance " << fixed(scores.frechet, 1) << std::endl;
      return success;
    }
  }
  throw eigan::Error(concat("not reached in ", all, " steps: Inception Score ", fixed(scores.inception, 2),
                            ", Frechet distance ", fixed(scores.frechet, 1)));
}

}  // namespace mnist_gan
