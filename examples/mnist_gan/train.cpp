#include "train.hpp"

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <eigan/core/parallel.hpp>
#include <eigan/data/mnist.hpp>
#include <eigan/io/image_sheet.hpp>

#include "common/build.hpp"
#include "common/clock.hpp"
#include "common/exit_code.hpp"
#include "common/interrupt.hpp"
#include "common/message.hpp"
#include "common/terminal.hpp"
#include "common/text.hpp"

#include "banner.hpp"
#include "evaluate.hpp"
#include "losses.hpp"
#include "progress.hpp"
#include "record.hpp"
#include "run_folder.hpp"
#include "run_report.hpp"
#include "score_log.hpp"
#include "trainer.hpp"

namespace mnist_gan {
namespace {

constexpr Index scored_images = 2000;
constexpr Index evaluated_images = 10000;

/// The inputs of the sample sheets.
eigan::Matrix<float> sheet_input(const Recipe& recipe, std::uint64_t seed) {
  const Latent latent = recipe.latent_space();
  return sample_input(latent, sheet_digits(latent.classes), sheet_images, seed, recipe.truncation);
}

bool is_finite(const StepLosses& losses) {
  return std::isfinite(losses.d_loss) && std::isfinite(losses.g_loss);
}

Progress::Detail progress_detail(const TrainOptions& options, const Terminal& terminal) {
  if (options.quiet) return Progress::Detail::none;
  return terminal.live && !options.no_progress ? Progress::Detail::live : Progress::Detail::epochs;
}

}  // namespace

int train(const TrainOptions& options) {
  const Recipe& recipe = options.recipe;
  const RunFolder folder(options.out);
  if (const std::string there = folder.occupant(); !there.empty() && !options.force) {
    throw eigan::Error(concat(folder.name(), ": holds ", there == "result.json" ? "a finished run" : there,
                              " already; --force replaces it, --out names another folder"));
  }
  const auto images = reading([&] { return eigan::load_mnist(options.data, eigan::Split::train); });

  const eigan::Threads threads{options.threads};
  const auto trainer = make_trainer(recipe, images, options.seed, threads);
  const Index steps_per_epoch = trainer->steps_per_epoch();
  const auto input = sheet_input(recipe, options.seed);
  const auto write_sheet = [&](const std::filesystem::path& path) {
    eigan::write_image_sheet<float>(path, trainer->generator().images(input, threads));
  };

  const bool scored = options.evaluate || options.evaluate_every > 0;
  eigan::LabelledImages test;
  std::optional<Judge> judge;
  if (scored) {
    test = reading([&] { return eigan::load_mnist(options.data, eigan::Split::test); });
    judge.emplace(options.recogniser, images, test, validation_count(recipe.holdout, images.count), threads);
  }
  ScoreLog scores;
  const auto score = [&](Index epoch) {
    const DigitGenerator& generator = trainer->generator();
    if (scores.add(epoch, judge->quick(drawn(generator, recipe.truncation, scored_images, options.seed, threads))))
      trainer->save_generator(folder.file("best_generator.safetensors"));
    scores.write_csv(folder.file("metrics.csv"));
  };

  Interrupt::listen();
  folder.create();
  eigan::write_file(folder.file("config.json"), config_text(options, eigan::thread_count(threads)));
  if (!build_warning().empty()) say(build_warning());
  const RunFacts facts{trainer->image_count(),
                       images.count - trainer->image_count(),
                       steps_per_epoch,
                       trainer->generator().param_size(),
                       trainer->discriminator_param_size(),
                       eigan::thread_count(threads)};
  if (!options.quiet) say(banner(options, facts));

  const auto terminal = Terminal::detect();
  Progress progress({recipe.epochs, steps_per_epoch, trainer->image_count()}, progress_detail(options, terminal),
                    terminal.colour);
  LossLog log(options.log_every, steps_per_epoch);
  const auto start = Clock::now();
  StepLosses last_epoch;

  for (Index epoch = 1; epoch <= recipe.epochs && !Interrupt::received(); ++epoch) {
    progress.start_epoch(epoch);
    MeanLosses means;
    while (means.count() < steps_per_epoch && !Interrupt::received()) {
      const StepLosses losses = trainer->step();
      if (!is_finite(losses)) {
        log.write_csv(folder.file("losses.csv"));
        throw Diverged(concat("diverged at step ", trainer->steps(), " (epoch ", epoch, "): discriminator loss ",
                              six_digits(losses.d_loss), ", generator loss ", six_digits(losses.g_loss),
                              "; a smaller --lr may help"));
      }
      means.add(losses);
      log.add(losses);
      progress.step(means);
    }
    if (means.count() < steps_per_epoch) break;

    last_epoch = means.mean();
    progress.end_epoch(means);
    log.write_csv(folder.file("losses.csv"));
    if (options.samples_every > 0 && epoch % options.samples_every == 0) {
      write_sheet(folder.sheet(epoch));
    }
    if (options.evaluate_every > 0 && epoch % options.evaluate_every == 0) score(epoch);
  }
  progress.clear();

  log.close();
  log.write_csv(folder.file("losses.csv"));
  log.write_chart(folder.file("losses.svg"));
  write_sheet(folder.file("samples.png"));
  trainer->save_generator(folder.file("generator.safetensors"));
  trainer->save_discriminator(folder.file("discriminator.safetensors"));
  const Index epochs = trainer->steps() / steps_per_epoch;
  const double seconds = seconds_since(start);
  std::optional<Evaluation> evaluation;
  if (options.evaluate && epochs == recipe.epochs) {
    evaluation = evaluate_generator(trainer->generator(), recipe.truncation, *judge, images, evaluated_images,
                                    options.seed, threads);
    eigan::write_file(folder.file("evaluation.json"), evaluation_json(*evaluation));
  }
  write_report(folder.file("report.html"), run_report(folder, options, facts, log, scores, evaluation,
                                                      {epochs, trainer->steps(), seconds, last_epoch}));

  if (epochs < recipe.epochs) {
    say("mnist_gan: stopped after ", trainer->steps(), " steps, ", epochs, " whole epochs; ", folder.name(),
        " holds what they gave");
    return by_signal + Interrupt::received();
  }
  eigan::write_file(folder.file("result.json"), result_text(epochs, trainer->steps(), seconds, last_epoch));
  if (!options.quiet) {
    if (evaluation) say(evaluation_table(*evaluation));
    say("trained in ", duration(seconds), "; ", folder.name(), " holds",
        "\n  report.html             all of it on one page", "\n  samples.png, samples/   sheets of digits",
        "\n  losses.svg, losses.csv\n  generator.safetensors, discriminator.safetensors",
        "\nmore digits: mnist_gan sample --model ", folder.name(), "/generator.safetensors --out digits.png");
  }
  return success;
}

}  // namespace mnist_gan
