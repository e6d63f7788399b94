// `image_to_image train`: the training loop, and what it leaves in its folder.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <eigan/io/atomic_file.hpp>

#include "kit/exit_code.hpp"
#include "kit/message.hpp"
#include "kit/run.hpp"
#include "mnist_recogniser/recogniser.hpp"

#include "baselines.hpp"
#include "commands.hpp"
#include "cycle_gan.hpp"
#include "data.hpp"
#include "describe.hpp"
#include "pix2pix.hpp"
#include "scores.hpp"
#include "sheet.hpp"
#include "translator.hpp"

namespace image_to_image {
namespace {

constexpr Index sheet_examples = 32, scored_pictures = 500;

/// The recogniser that scores translations of pictures with such labels. Empty where they have none and the recogniser
/// is there for --semantic.
std::string scorer(const TrainOptions& options, const std::string& recogniser,
                   const std::vector<std::uint8_t>& labels) {
  return options.recipe.semantic_weight > 0 && labels.empty() ? std::string() : recogniser;
}

/// What one looks at and keeps of a training.
template <class Method>
class Results {
 public:
  static constexpr bool has_way_back = requires(Method & method) { method.b_to_a(); };

  Results(const TrainOptions& options, const TaskData& data, Method& method, kit::Run& run)
      : options_(options),
        data_(data),
        method_(method),
        run_(run),
        shown_(held_out().a.count > 0 ? held_out() : data.train) {
    a_ = some_of(shown_.a, spread(shown_.a.count, sheet_examples));
    b_ = some_of(shown_.b, spread(shown_.b.count, sheet_examples));
    const auto scored = spread(held_out().a.count, scored_pictures);
    if (held_out().paired && held_out().b.count == held_out().a.count)
      scored_a_ = some_of(held_out().a, scored), scored_b_ = some_of(held_out().b, scored);
  }

  Translator a_to_b() const { return translator(method_.a_to_b(), false); }
  Translator b_to_a() const requires(has_way_back) { return translator(method_.b_to_a(), true); }

  void write_sheet(const std::filesystem::path& path) const {
    std::vector<PictureSet> sets{a_, a_to_b().translate(a_, {}, threads())};
    if (shown_.paired) sets.push_back(b_);
    if constexpr (has_way_back) {
      const Index n = std::min(a_.count, b_.count);
      if (!shown_.paired) {
        std::vector<Index> first = spread(n, n);
        const PictureSet from = some_of(b_, first), made = b_to_a().translate(from, {}, threads());
        for (PictureSet& set : sets) set = some_of(set, first);
        sets.push_back(from), sets.push_back(made);
      }
    }
    image_to_image::write_sheet(path, sets);
  }
  void score() {
    if (scored_a_.count == 0) return;
    const Difference from_partners = difference(a_to_b().translate(scored_a_, {}, threads()), scored_b_);
    run_.scores().add(run_.epochs(), scored_a_.count, {from_partners.psnr, from_partners.l1});
    run_.scores().write_csv(run_.folder().file("metrics.csv"));
  }
  void save() const {
    save_translator(run_.folder().file("a_to_b.safetensors"), a_to_b(), about());
    if constexpr (has_way_back) save_translator(run_.folder().file("b_to_a.safetensors"), b_to_a(), about());
  }
  std::vector<Evaluation> evaluations() const {
    std::vector<Evaluation> all;
    const bool validation = data_.test.a.count == 0;
    if (held_out().a.count == 0) return all;
    const auto add = [&](const Translator& way, const TaskData& data, const std::string& recogniser) {
      const auto& labels = (validation ? data.validation : data.test).a_labels;
      all.push_back(evaluated(way, data, validation, scorer(options_, recogniser, labels), threads()));
    };
    add(a_to_b(), data_, options_.recogniser);
    if constexpr (has_way_back) {
      TaskData back = data_;
      reverse(back);
      add(b_to_a(), back, options_.back_recogniser);
    }
    return all;
  }

 private:
  eigan::Threads threads() const { return {options_.run.threads}; }
  const TwoDomains& held_out() const { return data_.validation; }
  Translator translator(const Generator& model, bool back) const {
    const Recipe& r = options_.recipe;
    const bool own = r.norm == Norm::batch && r.image_statistics;
    return {own ? with_image_statistics(r, model) : model.clone(),
            data_.info.task,
            back ? data_.info.b : data_.info.a,
            back ? data_.info.a : data_.info.b,
            back != options_.data.reversed,
            Index{1} << halvings(r, model.input_shape())};
  }
  std::map<std::string, std::string> about() const {
    const Recipe& r = options_.recipe;
    return {{"method", methods[static_cast<std::size_t>(r.method)]},
            {"norm", norms[static_cast<std::size_t>(r.norm)]},
            {"statistics", r.norm == Norm::batch ? statistics[r.image_statistics ? 1 : 0] : "image"},
            {"licence", data_.info.licence},
            {"seed", std::to_string(options_.seed)},
            {"epoch", std::to_string(run_.epochs())},
            {"step", std::to_string(run_.step())}};
  }

  const TrainOptions& options_;
  const TaskData& data_;
  Method& method_;
  kit::Run& run_;
  const TwoDomains& shown_;
  PictureSet a_, b_;                // on sheets
  PictureSet scored_a_, scored_b_;  // on the way
};

/// more: what the method wants beside the usual.
template <class Method, class... More>
int train_by(const TrainOptions& options, const TaskData& data, const More&... more) {
  const Recipe& recipe = options.recipe;
  Method method(recipe, data.train, options.seed, {options.run.threads}, more...);
  const Index images = std::max(data.train.a.count, data.train.b.count);
  kit::Run run(options.run, {.program = "image_to_image",
                             .plan = {recipe.epochs, method.steps_per_epoch(), images},
                             .columns = method.columns(),
                             .scores = {{"psnr", "PSNR of validation pictures", "dB"},
                                        {"l1", "L1 of validation pictures, in [0, 1]", "mean of |difference|"}},
                             .files = {"a_to_b.safetensors", "b_to_a.safetensors"}});
  run.holds([&](auto visit) { method.visit_state(visit); });
  run.depends_on("pictures", fingerprint(data.train));
  Results<Method> results(options, data, method, run);
  const auto words = described(options, data, method.a_to_b(), method.discriminator(), method.steps_per_epoch());
  if (!run.begin(settings(options, data, words))) return success;
  while (run.next()) {
    if (!run.took(method.step(run.step(), run.rate()))) continue;
    if (!run.ends_epoch() || !run.wants_sheet()) continue;
    run.try_to([&] { results.write_sheet(run.folder().sheet(run.epochs())); });
    run.try_to([&] { results.score(); });
  }
  run.close();
  results.write_sheet(run.folder().file("samples.png"));
  results.save();

  kit::Report report = run.report(concat(data.info.a, " to ", data.info.b));
  report.settings = words;
  std::string tables;
  if (run.epochs() == recipe.epochs)
    for (const Evaluation& evaluation : results.evaluations()) {
      if (tables.empty()) eigan::write_file(run.folder().file("evaluation.json"), evaluation.json());
      report.tables.push_back({"Scores", evaluation.header(), evaluation.cells(), evaluation.note});
      tables += evaluation.table() + "\n";
    }
  write_report(run.folder().file("report.html"), report);
  const int code = run.end({});
  if (code != success || options.run.quiet) return code;
  const std::string folder = run.folder().name();
  say(tables, "trained in ", duration(run.seconds()), "; ", folder, " holds",
      "\n  report.html             all of it on one page", "\n  samples.png, samples/   sheets: input, output, target",
      "\n  losses.svg, losses.csv", "\n  a_to_b.safetensors      the translator",
      Results<Method>::has_way_back ? "\n  b_to_a.safetensors      the way back" : "",
      "\nyour pictures: image_to_image translate ", folder, "/a_to_b.safetensors picture.png --size ",
      method.a_to_b().input_shape().height, " --out translated");
  return success;
}

/// In a file; none where that has no name.
std::optional<mnist_recogniser::RecogniserModel> recogniser_in(const std::string& path) {
  if (path.empty()) return {};
  return mnist_recogniser::load_recogniser(path);
}

}  // namespace

int train(const TrainOptions& options) {
  const TaskData data = read_data(options.data);
  // An error now, not in an hour, also where they only score.
  const auto reader_of_a = recogniser_in(options.back_recogniser), reader_of_b = recogniser_in(options.recogniser);
  const TwoDomains& scored = data.test.a.count > 0 ? data.test : data.validation;
  if (scored.a.count > 0) {
    check_scorer(scorer(options, options.recogniser, scored.a_labels), scored.b, scored.a_labels);
    check_scorer(scorer(options, options.back_recogniser, scored.b_labels), scored.a, scored.b_labels);
  }
  const Index from = data.train.a.channels, to = data.train.b.channels;
  if (options.recipe.change && from != to)
    throw BadInput(
        concat("--output change adds to the input, whose channels must be as many; found ", from, " and ", to));
  if (options.recipe.semantic_weight > 0)
    for (const auto& [name, set] : {std::pair{"a", &data.train.a}, std::pair{"b", &data.train.b}})
      if (!is_readable(*set))
        throw BadInput(concat("--semantic: expected grey pictures of 28x28, which recognisers read; found ",
                              picture_text(*set), " in ", name));
  if (options.recipe.method == Method::cycle_gan) {
    Readers readers;
    if (reader_of_a) readers.of_a = &reader_of_a->eyes;
    if (reader_of_b) readers.of_b = &reader_of_b->eyes;
    return train_by<CycleGan>(options, data, readers);
  }
  if (!data.train.paired)
    throw BadInput("the pictures are not paired, which pix2pix needs; --method cyclegan does without");
  return train_by<Pix2Pix>(options, data);
}

}  // namespace image_to_image
