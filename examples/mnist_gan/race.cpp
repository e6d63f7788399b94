#include "race.hpp"

#include <iostream>

#include <eigan/core/error.hpp>
#include <eigan/data/mnist.hpp>

#include "common/exit_code.hpp"
#include "common/text.hpp"

#include "evaluate.hpp"
#include "judge.hpp"
#include "trainer.hpp"

namespace mnist_gan {

using namespace example;

int race(const RaceOptions& options, Clock::time_point start) {
  const Recipe& recipe = options.recipe;
  const eigan::Threads threads{options.threads};
  const auto images = reading([&] { return eigan::load_mnist(options.data, eigan::Split::train); });
  const auto test = reading([&] { return eigan::load_mnist(options.data, eigan::Split::test); });
  const Judge judge(options.recogniser, images, test, 0, threads);
  Trainer trainer(recipe, images, options.seed, threads);
  const Index all = recipe.epochs * trainer.steps_per_epoch();

  QuickScores scores;
  while (trainer.steps() < all) {
    trainer.step();
    if (trainer.steps() % options.every != 0 && trainer.steps() < all) continue;
    scores = judge.quick(drawn(trainer.generator(), recipe.truncation, options.count, options.seed, threads));
    if (scores.inception >= options.inception && scores.frechet <= options.frechet) {
      std::cout << fixed(seconds_since(start), 2) << " s, " << trainer.steps() << " steps: Inception Score "
                << fixed(scores.inception, 2) << ", Frechet distance " << fixed(scores.frechet, 1) << std::endl;
      return success;
    }
  }
  throw eigan::Error(concat("not reached in ", trainer.steps(), " steps: Inception Score ", fixed(scores.inception, 2),
                            ", Frechet distance ", fixed(scores.frechet, 1)));
}

}  // namespace mnist_gan
