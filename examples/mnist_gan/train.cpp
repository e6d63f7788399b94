#include "train.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <zlib.h>

#include <eigan/core/parallel.hpp>
#include <eigan/data/mnist.hpp>
#include <eigan/io/image_sheet.hpp>
#include <eigan/io/read_file.hpp>

#include "common/build.hpp"
#include "common/clock.hpp"
#include "common/exit_code.hpp"
#include "common/interrupt.hpp"
#include "common/message.hpp"
#include "common/terminal.hpp"
#include "common/text.hpp"

#include "banner.hpp"
#include "checkpoints.hpp"
#include "evaluate.hpp"
#include "history.hpp"
#include "judge.hpp"
#include "latent.hpp"
#include "progress.hpp"
#include "record.hpp"
#include "run_folder.hpp"
#include "run_report.hpp"
#include "trainer.hpp"
#include "variety.hpp"

namespace mnist_gan {
namespace {

constexpr Index scored_images = 2000;
constexpr Index evaluated_images = 10000;

Progress::Detail progress_detail(const TrainOptions& options, const Terminal& terminal) {
  if (options.quiet) return Progress::Detail::none;
  return terminal.live && !options.no_progress ? Progress::Detail::live : Progress::Detail::epochs;
}

/// Tells two files apart.
std::string fingerprint_of_file(const std::string& path) {
  return reading([&] {
    const auto bytes = eigan::read_file(path);
    return concat(bytes.size(), " bytes, CRC-32 ",
                  crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  });
}

/// The variance that MNIST's own digits have, of one kind each where the generator is told the kind.
double real_variance(const eigan::LabelledImages& images, bool conditional) {
  const Index count = std::min<Index>(images.count, 1000);
  const std::span<const std::uint8_t> labels(images.labels.data(), static_cast<std::size_t>(conditional ? count : 0));
  return variance(image_matrix(images, 0, count), labels);
}

/// One run, from the folder that it makes to the last line that it says.
class Training {
 public:
  Training(const TrainOptions& options, const RunFolder& folder, const eigan::LabelledImages& images)
      : options_(options),
        folder_(folder),
        images_(images),
        threads_{options.threads},
        trainer_(options.recipe, images, options.seed, threads_),
        steps_per_epoch_(trainer_.steps_per_epoch()),
        steps_(options.recipe.epochs * steps_per_epoch_),
        digits_(sheet_digits(options.recipe.latent_space().classes)),
        input_(sample_input(options.recipe.latent_space(), digits_, sheet_images, options.seed,
                            options.recipe.truncation)),
        real_variance_(real_variance(images, options.recipe.conditional)),
        history_{LossLog(options.log_every, steps_per_epoch_)},
        checkpoints_(folder, options, images),
        facts_{trainer_.image_count(),
               images.count - trainer_.image_count(),
               steps_per_epoch_,
               trainer_.generator().model.param_size(),
               trainer_.discriminator_param_size(),
               eigan::thread_count(threads_)} {
    if (!options.evaluate && options.evaluate_every == 0) return;
    test_ = reading([&] { return eigan::load_mnist(options.data, eigan::Split::test); });
    if (options.evaluate_every > 0) {
      checkpoints_.add_condition("test_images", test_);
      checkpoints_.add_condition("recogniser", fingerprint_of_file(options.recogniser));
    }
    judge_.emplace(options.recogniser, images, test_, validation_count(options.recipe.holdout, images.count), threads_);
  }

  int run() {
    Interrupt::listen();
    if (!begin()) {
      if (!options_.quiet) say(folder_.name(), ": the run is finished already");
      return success;
    }
    const auto terminal = Terminal::detect();
    Progress progress({options_.recipe.epochs, steps_per_epoch_, trainer_.image_count()},
                      progress_detail(options_, terminal), terminal.colour);
    const auto start = Clock::now();
    const double before = history_.seconds;
    progress.start_epoch(epoch(), history_.epoch.count());
    while (trainer_.steps() < steps_ && !Interrupt::received()) {
      const StepLosses losses = trainer_.step();
      history_.seconds = before + seconds_since(start);
      if (const std::string trouble = trouble_with(losses); !trouble.empty()) {
        progress.clear();
        recover(trouble);
        progress.start_epoch(epoch(), history_.epoch.count());
        continue;
      }
      history_.epoch.add(losses);
      history_.log.add(losses);
      progress.step(history_.epoch);
      if (history_.epoch.count() == steps_per_epoch_) {
        progress.end_epoch(history_.epoch);
        progress.clear();
        end_epoch();
        progress.start_epoch(epoch(), 0);
      }
      if (trainer_.steps() < steps_ && checkpoints_.due(trainer_.steps()))  // the end has more to save
        try_to([&] { checkpoints_.save(trainer_, history_); }, [&] { progress.clear(); });
    }
    history_.seconds = before + seconds_since(start);
    progress.clear();
    return finish();
  }

 private:
  /// Of the next step, counted from 1.
  Index epoch() const { return trainer_.steps() / steps_per_epoch_ + 1; }

  /// False if there is nothing left to do.
  bool begin() {
    folder_.make();
    lock_ = folder_.lock();
    resumed_ = options_.resume && checkpoints_.load(trainer_, history_);
    if (options_.resume && folder_.is_finished() && (!resumed_ || trainer_.steps() == steps_)) return false;
    if (trainer_.steps() > steps_)
      throw eigan::Error(concat(folder_.name(), ": has done ", trainer_.steps(),
                                " steps already, expected at most the ", steps_, " of --epochs ",
                                options_.recipe.epochs));
    if (resumed_) {
      folder_.reopen();
    } else {
      refuse_occupied();
      folder_.create();
      if (checkpoints_.wanted()) checkpoints_.save(trainer_, history_);
    }
    eigan::write_file(folder_.file("config.json"), config_text(options_, facts_.threads));
    if (!build_warning().empty()) say(build_warning());
    if (options_.quiet) return true;
    say(banner(options_, facts_));
    if (resumed_) say("going on after step ", trainer_.steps(), " of ", steps_);
    return true;
  }

  void refuse_occupied() const {
    const std::string there = folder_.occupant();
    if (there.empty() || options_.force) return;
    const std::string way =
        options_.resume ? "no checkpoint to go on from" : "--resume goes on with it where it has a checkpoint";
    throw eigan::Error(concat(folder_.name(), ": holds ", there == "result.json" ? "a finished run" : there,
                              " already; ", way, ", --force replaces it, --out names another folder"));
  }

  /// Writes into the run's folder, as long as that is still there under its name; what fails is a warning.
  template <class Write, class Before>
  void try_to(Write&& write, Before&& before) const {
    const auto into_the_folder = [&] {
      (void)folder_.is_kept_by(lock_);
      write();
    };
    or_warn(into_the_folder, std::forward<Before>(before));
  }
  template <class Write>
  void try_to(Write&& write) const {
    try_to(std::forward<Write>(write), [] {});
  }

  /// What shows that training has diverged, in words; empty if nothing does.
  std::string trouble_with(const StepLosses& losses) {
    std::string what;
    if (!std::isfinite(losses.d_loss) || !std::isfinite(losses.g_loss))
      what = concat("discriminator loss ", six_digits(losses.d_loss), ", generator loss ", six_digits(losses.g_loss));
    if (const auto place = trainer_.non_finite()) what += concat(what.empty() ? "" : ", ", *place);
    return what;
  }

  /// Goes back to a checkpoint with smaller rates, as often as --retries allows. Diverged if it does not.
  void recover(const std::string& trouble) {
    const Index step = trainer_.steps();
    const std::string what =
        concat("diverged at step ", step, " (epoch ", (step - 1) / steps_per_epoch_ + 1, "): ", trouble);
    if (history_.retries >= options_.retries) {
      try_to([&] { history_.log.closed().write_csv(folder_.file("losses.csv")); });
      const std::string kept = checkpoints_.wanted() ? "the last checkpoint is kept; " : "";
      throw Diverged(concat(what, "; ", kept, "a smaller --lr may help",
                            options_.retries == 0 ? ", --retries goes on with one by itself"
                                                  : concat(", ", options_.retries, " retries did not")));
    }
    const double rate = trainer_.rate() / 2;
    const std::int64_t retries = history_.retries + 1;
    const double best = history_.scores.best();  // its generator may be one of the branch that is given up
    try {
      if (!checkpoints_.roll_back(trainer_, history_)) throw eigan::Error("there is no checkpoint any more");
    } catch (const eigan::Error& error) {
      throw Diverged(concat(what, "; cannot go back: ", error.what()));
    }
    trainer_.set_rate(rate);
    history_.retries = retries;
    history_.scores.keep_best(best);
    // A process that goes on with this run knows of the retry, too.
    try_to([&] { checkpoints_.replace(trainer_, history_); });
    say("warning: ", what, "; going on after step ", trainer_.steps(), " with ", shortest(rate),
        " of the learning rates (retry ", retries, " of ", options_.retries, ')');
  }

  void end_epoch() {
    const Index epoch = trainer_.steps() / steps_per_epoch_;
    history_.last_epoch = history_.epoch.mean();
    history_.epoch = {};
    try_to([&] { history_.log.write_csv(folder_.file("losses.csv")); });
    if (options_.samples_every > 0 && epoch % options_.samples_every == 0)
      try_to([&] { write_sheet(folder_.sheet(epoch)); });
    if (options_.evaluate_every > 0 && epoch % options_.evaluate_every == 0) try_to([&] { score(epoch); });
  }

  void score(Index epoch) {
    const auto images = drawn(trainer_.generator(), options_.recipe.truncation, scored_images, options_.seed, threads_);
    const QuickScores scores = judge_->quick(images);
    // First the file: a log that knows of a better generator than the one that is there would keep that for ever.
    if (history_.scores.is_best(scores)) trainer_.save_generator(folder_.file("best_generator.safetensors"));
    history_.scores.add(epoch, scores);
    history_.scores.write_csv(folder_.file("metrics.csv"));
  }

  /// Also looks at how the sheet's digits differ.
  void write_sheet(const std::filesystem::path& path) {
    const auto images = trainer_.generator().images(input_, threads_);
    variety_ = real_variance_ > 0 ? variance(images, digits_) / real_variance_ : 1;
    if (trainer_.steps() >= settled_steps && variety_ < collapsed_below)
      say("warning: after step ", trainer_.steps(), " the generator has collapsed: for different z its digits vary ",
          percent(variety_, 1), " as much as MNIST's");
    eigan::write_image_sheet<float>(path, images);
  }

  int finish() {
    const Index epochs = trainer_.steps() / steps_per_epoch_;
    const Recipe& recipe = options_.recipe;
    // First what a later process can go on from. A folder that has vanished in the meantime is made again.
    if (!folder_.is_kept_by(lock_)) {
      folder_.make();
      lock_ = folder_.lock();
    }
    if (checkpoints_.wanted() || resumed_) try_to([&] { checkpoints_.save(trainer_, history_); });
    eigan::write_file(folder_.file("config.json"), config_text(options_, facts_.threads));
    const LossLog log = history_.log.closed();
    log.write_csv(folder_.file("losses.csv"));
    log.write_chart(folder_.file("losses.svg"));
    write_sheet(folder_.file("samples.png"));
    trainer_.save_generator(folder_.file("generator.safetensors"));
    trainer_.save_discriminator(folder_.file("discriminator.safetensors"));
    std::optional<Evaluation> evaluation;
    if (options_.evaluate && epochs == recipe.epochs) {
      evaluation = evaluate_generator(trainer_.generator(), recipe.truncation, *judge_, images_, evaluated_images,
                                      options_.seed, threads_);
      eigan::write_file(folder_.file("evaluation.json"), evaluation_json(*evaluation));
    }
    write_report(folder_.file("report.html"),
                 run_report(folder_, options_, facts_, log, history_.scores, evaluation,
                            {epochs, trainer_.steps(), history_.seconds, history_.last_epoch}));
    if (epochs < recipe.epochs) {
      say("mnist_gan: stopped after ", trainer_.steps(), " steps, ", epochs, " whole epochs; ", folder_.name(),
          " holds what they gave", checkpoints_.wanted() ? ", --resume goes on from there" : "");
      return by_signal + Interrupt::received();
    }
    eigan::write_file(folder_.file("result.json"), result_text(epochs, trainer_.steps(), history_, variety_));
    if (options_.quiet) return success;
    if (evaluation) say(evaluation_table(*evaluation));
    say("trained in ", duration(history_.seconds), "; ", folder_.name(), " holds",
        "\n  report.html             all of it on one page", "\n  samples.png, samples/   sheets of digits",
        "\n  losses.svg, losses.csv\n  generator.safetensors, discriminator.safetensors",
        "\nmore digits: mnist_gan sample --model ", folder_.name(), "/generator.safetensors --out digits.png");
    return success;
  }

  const TrainOptions& options_;
  const RunFolder& folder_;
  const eigan::LabelledImages& images_;
  eigan::LabelledImages test_;
  eigan::Threads threads_;
  Trainer trainer_;
  Index steps_per_epoch_;
  Index steps_;
  std::vector<std::uint8_t> digits_;  // of the sheets
  eigan::Matrix<float> input_;
  double real_variance_;
  double variety_ = 1;
  History history_;
  Checkpoints checkpoints_;
  RunFacts facts_;
  std::optional<Judge> judge_;
  eigan::detail::FileDescriptor lock_;
  bool resumed_ = false;
};

}  // namespace

int train(const TrainOptions& options) {
  const RunFolder folder(options.out);
  const auto images = reading([&] { return eigan::load_mnist(options.data, eigan::Split::train); });
  return Training(options, folder, images).run();
}

}  // namespace mnist_gan
