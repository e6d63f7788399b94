// `mnist_gan train`: the training loop, and what it leaves in its folder.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <zlib.h>

#include <eigan/data/mnist.hpp>
#include <eigan/io/image_sheet.hpp>
#include <eigan/io/model_file.hpp>
#include <eigan/io/read_file.hpp>

#include "kit/exit_code.hpp"
#include "kit/message.hpp"
#include "kit/run.hpp"
#include "kit/variety.hpp"

#include "commands.hpp"
#include "describe.hpp"
#include "evaluate.hpp"
#include "gan.hpp"
#include "generator.hpp"
#include "judge.hpp"

namespace mnist_gan {
namespace {

constexpr Index scored_images = 2000;
constexpr Index evaluated_images = 10000;

/// Tells two files apart.
std::string fingerprint_of_file(const std::string& path) {
  return reading([&] {
    const auto bytes = eigan::read_file(path);
    return concat(bytes.size(), " bytes, CRC-32 ",
                  crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  });
}
/// Tells two data sets apart.
std::string fingerprint(const eigan::LabelledImages& images) {
  auto sum = crc32_z(0, images.pixels.data(), images.pixels.size());
  sum = crc32_z(sum, images.labels.data(), images.labels.size());
  return concat(images.count, " images, CRC-32 ", sum);
}

/// The variance that MNIST's own digits have, of one kind each where the generator is told the kind.
double real_variance(const eigan::LabelledImages& images, bool conditional) {
  const Index count = std::min<Index>(images.count, 1000);
  const std::span<const std::uint8_t> labels(images.labels.data(), static_cast<std::size_t>(conditional ? count : 0));
  return kit::variance(image_matrix(images, 0, count), labels);
}

kit::Training training(const Recipe& recipe, const Gan& gan) {
  const std::string losses = "Losses", opinion = "Discriminator's opinion";
  return {.program = "mnist_gan",
          .plan = {recipe.epochs, gan.steps_per_epoch(), gan.image_count()},
          .columns = {{"d_loss", "D", "D", 3, losses, "loss", "discriminator"},
                      {"g_loss", "G", "G", 3, losses, "loss", "generator"},
                      {"d_real", "D(real)", "real", 2, opinion, "mean of D", "real images"},
                      {"d_fake", "D(fake)", "fake", 2, opinion, "mean of D", "generated images"}},
          .scores = {{"inception_score", "Inception Score", "score, at most 10"},
                     {"frechet_distance", "Frechet distance from the test images", "distance", true}},
          .files = {"generator.safetensors", "best_generator.safetensors", "discriminator.safetensors"},
          .may_grow = recipe.schedule == Schedule::constant};
}

/// What one looks at and keeps of a training.
class Results {
 public:
  Results(const TrainOptions& options, const eigan::LabelledImages& images, Gan& gan, kit::Run& run)
      : options_(options),
        recipe_(options.recipe),
        images_(images),
        gan_(gan),
        run_(run),
        digits_(sheet_digits(recipe_.latent_space().classes)),
        input_(sample_input(recipe_.latent_space(), digits_, sheet_images, options.seed, recipe_.truncation)),
        real_variance_(real_variance(images, recipe_.conditional)) {}

  DigitGenerator generator() { return {gan_.generator().clone(), recipe_}; }
  double variety() const { return variety_; }

  /// Also looks at how the sheet's digits differ.
  void write_sheet(const std::filesystem::path& path) {
    const auto images = gan_.generator().infer(input_, threads());
    variety_ = real_variance_ > 0 ? kit::variance(images, digits_) / real_variance_ : 1;
    if (run_.step() >= kit::settled_steps && variety_ < kit::collapsed_below)
      say("warning: after step ", run_.step(), " the generator has collapsed: for different z its digits vary ",
          percent(variety_, 1), " as much as MNIST's");
    eigan::write_image_sheet<float>(path, images);
  }
  void save_generator(const char* name) {
    eigan::save(run_.folder().file(name), gan_.generator(), metadata_of("generator"));
  }
  void save_discriminator() {
    eigan::save(run_.folder().file("discriminator.safetensors"), gan_.discriminator(), metadata_of("discriminator"));
  }
  void score(const Judge& judge) {
    const QuickScores scores =
        judge.quick(drawn(generator(), recipe_.truncation, images_, scored_images, options_.seed, threads()));
    const std::vector<double> values{scores.inception, scores.frechet};
    // First the file: a log that knows of a better generator than the one that is there would keep that for ever.
    if (run_.scores().is_best(values)) save_generator("best_generator.safetensors");
    run_.scores().add(run_.epochs(), scores.samples, values);
    run_.scores().write_csv(run_.folder().file("metrics.csv"));
  }

 private:
  eigan::Threads threads() const { return {options_.run.threads}; }
  std::map<std::string, std::string> metadata_of(const char* network) const {
    return metadata(network, recipe_, options_.seed, run_.epochs(), run_.step());
  }

  const TrainOptions& options_;
  const Recipe& recipe_;
  const eigan::LabelledImages& images_;
  Gan& gan_;
  kit::Run& run_;
  std::vector<std::uint8_t> digits_;  // of the sheets
  eigan::Matrix<float> input_;
  double real_variance_;
  double variety_ = 1;
};

void add_evaluation(kit::Report& report, const Evaluation& evaluation) {
  std::string note = evaluation.note;
  if (evaluation.read_as_asked)
    note += concat("; ", fixed(100 * *evaluation.read_as_asked, 2), " % of the digits read as asked for");
  report.tables.push_back({"Scores", evaluation.header(), evaluation.cells(), note});
}

}  // namespace

int train(const TrainOptions& options) {
  const Recipe& recipe = options.recipe;
  const eigan::Threads threads{options.run.threads};
  const auto images = reading([&] { return eigan::load_mnist(options.data, eigan::Split::train); });
  Gan gan(recipe, images, options.seed, threads);
  const Index held_out = images.count - gan.image_count();

  kit::Run run(options.run, training(recipe, gan));
  run.holds([&](auto visit) { gan.visit_state(visit); });
  run.depends_on("images", fingerprint(images));
  eigan::LabelledImages test;
  std::optional<Judge> judge;
  if (options.evaluate || options.evaluate_every > 0) {
    test = reading([&] { return eigan::load_mnist(options.data, eigan::Split::test); });
    judge.emplace(options.recogniser, images, test, validation_count(recipe.holdout, images.count), threads);
  }
  if (options.evaluate_every > 0) {
    run.depends_on("test_images", fingerprint(test));
    run.depends_on("recogniser", fingerprint_of_file(options.recogniser));
  }

  Results results(options, images, gan, run);
  if (!run.begin(settings(options, gan, held_out))) return success;
  while (run.next()) {
    if (!run.took(gan.step(run.step(), run.rate()))) continue;
    if (!run.ends_epoch()) continue;
    if (run.wants_sheet()) run.try_to([&] { results.write_sheet(run.folder().sheet(run.epochs())); });
    if (options.evaluate_every > 0 && run.epochs() % options.evaluate_every == 0)
      run.try_to([&] { results.score(*judge); });
  }
  run.close();
  results.write_sheet(run.folder().file("samples.png"));
  results.save_generator("generator.safetensors");
  results.save_discriminator();

  kit::Report report = run.report("A GAN on MNIST");
  report.settings = described(options, gan, held_out);
  std::optional<Evaluation> evaluation;
  if (options.evaluate && run.epochs() == recipe.epochs) {
    evaluation = evaluate_generator(results.generator(), recipe.truncation, *judge, images, evaluated_images,
                                    options.seed, threads);
    eigan::write_file(run.folder().file("evaluation.json"), evaluation_json(*evaluation));
    add_evaluation(report, *evaluation);
  }
  write_report(run.folder().file("report.html"), report);
  const int code = run.end(kit::JsonObject().add("variety", results.variety()));
  if (code != success || options.run.quiet) return code;
  if (evaluation) say(evaluation_table(*evaluation));
  const std::string folder = run.folder().name();
  say("trained in ", duration(run.seconds()), "; ", folder, " holds",
      "\n  report.html             all of it on one page", "\n  samples.png, samples/   sheets of digits",
      "\n  losses.svg, losses.csv", "\n  generator.safetensors, discriminator.safetensors",
      "\nmore digits: mnist_gan sample --model ", folder, "/generator.safetensors --out digits.png");
  return success;
}

}  // namespace mnist_gan
