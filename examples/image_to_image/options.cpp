#include "options.hpp"

#include <memory>
#include <sstream>
#include <string>

#include <eigan/version.hpp>

#include "kit/command_line.hpp"
#include "kit/run_arguments.hpp"

#include "networks.hpp"
#include "prepare_options.hpp"

namespace image_to_image {
namespace {

constexpr Index largest_channels = 1024;
constexpr std::size_t most_levels = 10;

void add_train(CLI::App& program, TrainOptions& options) {
  CLI::App& app = *program.add_subcommand("train", "Trains a translator and writes a folder of results.");
  app.formatter(
      std::make_shared<HelpFormatter>("  image_to_image train edges2fashion --out runs/fashion\n"
                                      "  image_to_image train edges2fashion --out runs/back --reverse --epochs 4\n"
                                      "  image_to_image train flat2shaded --out runs/cycle --method cyclegan\n"
                                      "  image_to_image train --pairs my/pairs --out runs/mine --size 64 --epochs 200\n"
                                      "  image_to_image train --a my/horses --b my/zebras --out runs/zebras\n",
                                      30));
  Recipe& recipe = options.recipe;
  DataOptions& data = options.data;

  std::string names;
  for (const Task& task : tasks()) names += concat(names.empty() ? "" : ", ", task.name);
  const auto parse = [&options, names](const std::string& given) {
    if (find_task(given) == nullptr) refuse("TASK", names, given);
    options.data.task = given;
    options.recipe = task_recipe(given);
  };
  app.add_option_function<std::string>("TASK", parse, concat(names, "; or folders of your own:"))->option_text(" ");

  OptionGroup group(app, "Options");
  group.name("--data", "DIR", "what `prepare TASK` wrote", data.data)->default_str("data/prepared/TASK");
  group.name("--pairs", "DIR", "pictures with a and b side by side, or folders a and b with equal names", data.pairs);
  group.read("--a", "DIR", "pictures to translate, and ...", [&](const std::string& given) {
    if (given.empty()) refuse("--a", "a name", given);
    data.a = given;
    recipe = unpaired(recipe);  // before the options that change it: the command line is read in this order
  });
  group.name("--b", "DIR", "... what they are to look like; nobody has paired them", data.b);
  group.number("--size", "N", "height and width that pictures of folders get", data.size, whole(8, 1024));
  const Range<Index> channels{"1 or 3", [](Index n) { return n == 1 || n == 3; }};
  group.number("--a-channels", "1|3", "that a of folders is read in: grey, or in colour", data.a_channels, channels);
  group.number("--b-channels", "1|3", "the same of b", data.b_channels, channels);
  group.flag("--reverse", "from b to a", data.reversed);
  add_out(group, options.run);
  group  // before the options that it gives values to
      .read("--method", "pix2pix|cyclegan", "which learns from pairs, or without",
            [&recipe](const std::string& given) {
              if (given != methods[0] && given != methods[1]) refuse("--method", "pix2pix or cyclegan", given);
              if (given == methods[1] && recipe.method != Method::cycle_gan) recipe = unpaired(recipe);
              if (given == methods[0]) recipe.method = Method::pix2pix, recipe.semantic_weight = 0;
            })
      ->default_str("as the data are");
  group.number("--epochs", "N", "passes over the pictures", recipe.epochs, whole(1, 1000000))
      ->default_str("the task's");
  group.number("--batch", "N", "pictures a step", recipe.batch, whole(1, 65536));
  group.number("--seed", "N", "everything random follows from it", options.seed, any_seed);
  group.threads(options.run.threads);
  add_resume(group, options.run);

  OptionGroup networks(app, "Networks");
  networks.choice("--generator", "skip connections, none, residual blocks, or skip connections from full size on",
                  architectures, recipe.architecture);
  networks.sizes("--g-channels", "the generator's channels, level by level, each of half the size", recipe.g_channels,
                 1, most_levels, largest_channels);
  networks.number("--blocks", "N", "residual blocks in the generator's middle", recipe.blocks, whole(0, 100));
  networks.choice("--output", "what it makes: the picture, or the change to its input", outputs, recipe.change);
  networks.choice("--norm", "what stands behind convolutions; batch: in pix2pix alone", norms, recipe.norm);
  networks.choice("--statistics", "that batch normalisation knows when pictures are translated", statistics,
                  recipe.image_statistics);
  networks.number("--dropout", "P", "in the generator's inner levels, its noise", recipe.dropout,
                  Range<double>{"a number from 0 to below 0.999", [](double x) { return x >= 0 && x < 0.999; }});
  networks.number("--d-channels", "N", "the discriminator's first", recipe.d_channels, whole(1, largest_channels));
  networks.number("--d-levels", "N", "halving ones; 1, 2, 3 for patches of 16, 34, 70 pixels", recipe.d_levels,
                  whole(1, 6));

  OptionGroup training(app, "Training");
  training.choice("--loss", "of pix2pix's generator", losses, recipe.loss);
  training.number("--l1", "X", "weight of the L1 distance in it", recipe.l1_weight, not_negative);
  training.number("--cycle", "X", "weight of cyclegan's way there and back; 0: off", recipe.cycle_weight, not_negative);
  training.number("--identity", "X", "weight of leaving the target's pictures alone, times --cycle",
                  recipe.identity_weight, not_negative);
  training.number("--semantic", "X",
                  "weight of cyclegan's translations being read as their sources are, by the recognisers; 0: off",
                  recipe.semantic_weight, not_negative);
  training.number("--pool", "N", "past translations that cyclegan's discriminators see again", recipe.pool,
                  whole(0, 100000));
  training.number("--lr", "X", "Adam's learning rate", recipe.lr, positive);
  training.number("--beta1", "X", "Adam's decay of the mean of gradients", recipe.beta1, fraction);
  training.number("--average", "X",
                  "part of a running average of weights that stays at a step, for translations; 0: none",
                  recipe.average, fraction);
  training.number("--flat", "X", "part of the training before the learning rate falls to 0", recipe.flat,
                  Range<double>{"a number from 0 to 1", [](double x) { return x >= 0 && x <= 1; }});
  training.number("--jitter", "N", "pixels that pictures are moved by at most", recipe.jitter, whole(0, 1000));
  training.choice("--mirror", "whether half of them are mirrored", {"no", "yes"}, recipe.mirror);
  training.choice("--collage", "whether half of them are cut and go on with a part of another", {"no", "yes"},
                  recipe.collage);

  OptionGroup output(app, "Output");
  output.name("--recogniser", "FILE",
              "of `mnist_recogniser train` on pictures like the translations, to score them; --semantic needs both",
              options.recogniser);
  output.name("--back-recogniser", "FILE", "the same of cyclegan's way back", options.back_recogniser);
  add_logs(output, options.run);
  add_retries(output, options.run);
  add_silence(output, options.run);

  app.callback([&options] {  // once all options are read
    check(options.run);
    const DataOptions& d = options.data;
    const int ways = !d.task.empty() + !d.pairs.empty() + !(d.a.empty() && d.b.empty());
    if (ways != 1 || d.a.empty() != d.b.empty())
      throw CLI::ValidationError("train", "expected a TASK, --pairs DIR, or --a DIR and --b DIR");
    const Recipe& r = options.recipe;
    if (!d.a.empty() && r.method == Method::pix2pix) refuse("--method", "cyclegan with --a and --b", methods[0]);
    if (r.method == Method::cycle_gan && r.norm == Norm::batch)
      refuse("--norm", "instance or none with cyclegan", "batch");
    if (r.semantic_weight > 0 && r.method == Method::pix2pix)
      refuse("--semantic", "0 with pix2pix", shortest(r.semantic_weight));
    if (r.method == Method::pix2pix && !options.back_recogniser.empty())
      refuse("--back-recogniser", "cyclegan", methods[0]);
    if (r.semantic_weight > 0 && (options.recogniser.empty() || options.back_recogniser.empty()))
      refuse("--semantic",
             "0, or --recogniser FILE and --back-recogniser FILE beside it, which the recipe of mnist2fonts needs",
             shortest(r.semantic_weight));
  });
}

void add_translate(CLI::App& program, TranslateOptions& options) {
  CLI::App& app = *program.add_subcommand("translate", "Translates pictures, PNG and JPEG, with a trained model.");
  app.formatter(std::make_shared<HelpFormatter>(
      "  image_to_image translate runs/fashion/a_to_b.safetensors edges.png --out garments\n"
      "  image_to_image translate runs/mine/a_to_b.safetensors photo.jpg drawings --out out --size 64 --noise 1\n",
      30));
  app.add_option("MODEL", options.model, "a_to_b.safetensors or b_to_a.safetensors of a run")
      ->required()
      ->option_text(" ");
  app.add_option("IN", options.in, "pictures, and folders of pictures")->required()->option_text("...");
  OptionGroup group(app, "Options");
  group.name("--out", "DIR", "folder for the translations, PNG; made if it is not there", options.out)->required();
  group
      .number<Index>("--size", "N", "makes pictures N x N first: the middle, resized", whole(8, 4096),
                     [&options](Index n) { options.size = n; })
      ->default_str("as they are");
  group
      .number<std::uint64_t>("--noise", "SEED", "dropout stays on: another translation for each seed", any_seed,
                             [&options](std::uint64_t seed) { options.noise = seed; })
      ->default_str("none");
  group.flag("--force", "replace files", options.force);
  group.threads(options.threads);
}

void add_evaluate(CLI::App& program, EvaluateOptions& options) {
  CLI::App& app = *program.add_subcommand("evaluate", "Scores a model's translations of held-out pictures.");
  app.formatter(std::make_shared<HelpFormatter>(
      "  image_to_image evaluate runs/fashion/a_to_b.safetensors\n"
      "  image_to_image evaluate runs/fashion/a_to_b.safetensors --recogniser fashion.safetensors --json scores.json\n",
      30));
  app.add_option("MODEL", options.model, "a_to_b.safetensors or b_to_a.safetensors of a run")
      ->required()
      ->option_text(" ");
  OptionGroup group(app, "Options");
  group.name("--data", "DIR", "what `prepare` wrote of the model's task", options.data)
      ->default_str("data/prepared/TASK");
  group.flag("--validation", "validation pictures in place of the test's", options.validation);
  group.name("--recogniser", "FILE", "of `mnist_recogniser train` on pictures like the translations, to score them",
             options.recogniser);
  group.name("--json", "FILE", "also writes the scores for machines", options.json);
  group.name("--worst", "FILE", "also writes a sheet of the translations furthest from their partners, PNG",
             options.worst);
  group.threads(options.threads);
}

/// The options and where their values go.
struct Program {
  CLI::App app{"Learns to translate pictures of one kind into another (Pix2Pix, CycleGAN).", "image_to_image"};
  TrainOptions train;
  TranslateOptions translate;
  EvaluateOptions evaluate;
  PrepareOptions prepare;

  Program() {
    app.formatter(std::make_shared<HelpFormatter>(
        "  image_to_image prepare edges2fashion\n"
        "  image_to_image train edges2fashion --out runs/fashion\n"
        "  image_to_image evaluate runs/fashion/a_to_b.safetensors\n"
        "  image_to_image translate runs/fashion/a_to_b.safetensors edges.png --out garments\n",
        14));
    app.set_help_flag("-h,--help", "this text");
    app.set_version_flag("--version", concat("image_to_image (eigan) ", eigan::version), "the version");
    app.require_subcommand(1);
    add_prepare(app, prepare);
    add_train(app, train);
    add_translate(app, translate);
    add_evaluate(app, evaluate);
  }
};

}  // namespace

Command parse_arguments(int argc, const char* const* argv) {
  static Program program;  // to make one takes much longer than to read a command line
  program.train = {};
  program.translate = {};
  program.evaluate = {};
  program.prepare = {};
  CLI::App& app = program.app;
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help or --version
    std::ostringstream text;
    app.exit(success, text, text);
    return Answer{text.str()};
  } catch (const CLI::ParseError& error) {
    throw BadUsage(concat(explain(app, error), " (--help shows the options)"));
  }
  if (app.got_subcommand("prepare")) return program.prepare;
  if (app.got_subcommand("train")) return program.train;
  if (app.got_subcommand("evaluate")) return program.evaluate;
  return program.translate;
}

}  // namespace image_to_image
