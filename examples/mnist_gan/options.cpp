#include "options.hpp"

#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include <eigan/version.hpp>

#include "kit/command_line.hpp"
#include "kit/run_arguments.hpp"

namespace mnist_gan {
namespace {

constexpr Index largest_size = 16384;
constexpr Index largest_channels = 1024;
constexpr Index most_walks = 10000;

const Range<double> label{"a number above 0 to 1", [](double x) { return x > 0 && x <= 1; }};

CLI::Option* add_recipe(OptionGroup& group, Recipe& recipe) {
  return group
      .read("--recipe", "NAME", concat("what the options below are unless they are given: ", recipe_names()),
            [&recipe](const std::string& name) {
              const Recipe* const found = find_recipe(name);
              if (found == nullptr) refuse("--recipe", recipe_names(), name);
              recipe = *found;
            })
      ->default_str(recipe.name);
}

/// Refuses options of convolutional networks where the recipe's are dense.
void refuse_other_networks(const CLI::App& app, const Recipe& recipe) {
  if (find_recipe(recipe.name)->convolutional()) return;
  for (const char* name : {"--g-channels", "--d-channels", "--g-skip"})
    if (app.count(name) > 0) refuse(name, "a recipe of convolutional networks", recipe.name);
}

void add_train(CLI::App& program, TrainOptions& options) {
  CLI::App& app = *program.add_subcommand("train", "Trains a generator of digits and writes a folder of results.");
  app.formatter(
      std::make_shared<HelpFormatter>("  mnist_gan train --data data/mnist --out runs/first\n"
                                      "  mnist_gan train --data data/mnist --out runs/short --epochs 4\n"
                                      "  mnist_gan train --data data/mnist --out runs/told --recipe conditional\n"
                                      "  mnist_gan train --data data/mnist --out runs/dcgan --recipe dcgan\n"
                                      "  mnist_gan train --data data/mnist --out runs/2014 --recipe seed --epochs 20\n",
                                      30));
  Recipe& recipe = options.recipe;

  OptionGroup run(app, "Options");
  run.name("--data", "DIR", "folder of the MNIST files, plain or gzip", options.data)->required();
  add_out(run, options.run);
  // Before the options that it gives values to: the command line is read in this order.
  add_recipe(run, recipe);
  run.number("--epochs", "N", "passes over the images", recipe.epochs, whole(1, 1000000));
  run.number("--batch", "N", "images a step", recipe.batch, whole(1, 65536));
  run.number("--holdout", "N", "last images that training never sees, at most a tenth of all", recipe.holdout,
             whole(0, 1000000));
  run.number("--seed", "N", "everything random follows from it", options.seed, any_seed);
  run.threads(options.run.threads);
  add_resume(run, options.run);

  OptionGroup networks(app, "Networks");
  networks.number("--latent", "N", "size of z, the generator's input", recipe.latent, whole(1, largest_size));
  networks.choice("--latent-distribution", "what z is drawn from", {"uniform", "normal"}, recipe.normal_latent);
  networks.number("--components", "N", "of a mixture that z is drawn from; 0: no mixture", recipe.components,
                  whole(0, largest_size));
  networks.number("--truncation", "X", "factor of z when digits are drawn", recipe.truncation, not_negative);
  networks.choice("--conditional", "whether the generator is told which digit to draw, the discriminator which it sees",
                  {"no", "yes"}, recipe.conditional);
  networks.sizes("--g-hidden", "the generator's hidden dense layers, in front of its convolutions", recipe.g_hidden,
                 hidden_layers, hidden_layers, largest_size);
  networks.sizes("--d-hidden", "the discriminator's, behind its convolutions", recipe.d_hidden, 1, hidden_layers,
                 largest_size);
  networks.sizes("--g-channels", "the generator's channels at 14x14 and 7x7 pixels, where it is convolutional",
                 recipe.g_channels, 2, 2, largest_channels);
  networks.sizes("--d-channels", "the discriminator's; a third number adds a convolution at 7x7", recipe.d_channels, 2,
                 3, largest_channels);
  networks.choice("--g-skip",
                  "whether the generator's convolutions get z as well, beside what its dense layers make of it",
                  {"no", "yes"}, recipe.latent_skip);
  networks.choice("--g-norm", "batch: normalisation on the generator's hidden layers, without dropout",
                  {"none", "batch"}, recipe.batch_norm);
  const Range<double> slope{"a number from 0 to 1", [](double x) { return x >= 0 && x <= 1; }};
  networks
      .number<double>("--negative-slope", "X", "of the leaky ReLU on every hidden layer of both networks", slope,
                      [&recipe](double x) { recipe.g_negative_slope = recipe.d_negative_slope = x; })
      ->default_str("as follows");
  networks.number("--g-negative-slope", "X", "in the generator", recipe.g_negative_slope, slope);
  networks.number("--d-negative-slope", "X", "in the discriminator", recipe.d_negative_slope, slope);
  networks.number("--dropout", "P", "probability of dropping a hidden value", recipe.dropout,
                  Range<double>{concat("a number from 0 to below ", dropout_below),
                                [](double x) { return x >= 0 && x < dropout_below; }});

  OptionGroup optimisation(app, "Optimisation (Adam)");
  optimisation
      .number<double>("--lr", "X", "learning rate of both networks", positive,
                      [&recipe](double lr) { recipe.g_lr = recipe.d_lr = lr; })
      ->default_str(shortest(recipe.g_lr));
  optimisation.number("--g-lr", "X", "learning rate of the generator", recipe.g_lr, positive);
  optimisation.number("--d-lr", "X", "learning rate of the discriminator", recipe.d_lr, positive);
  optimisation.choice("--schedule", "of the rates: linear lets them fall to 0, late does so in the second half",
                      schedules, recipe.schedule);
  optimisation.number("--beta1", "X", "decay of the mean of gradients", recipe.beta1, fraction);
  optimisation.number("--beta2", "X", "decay of the mean of their squares", recipe.beta2, fraction);
  optimisation.number("--eps", "X", "added to the root of the latter", recipe.eps, not_negative);
  optimisation.number("--real-label", "X", "target for real images in the discriminator's loss", recipe.real_label,
                      label);

  optimisation.number("--r1", "X", "gamma of the penalty on the discriminator's slope at real images", recipe.r1,
                      not_negative);
  optimisation.number("--r1-every", "N", "steps from penalty to penalty, each that much stronger", recipe.r1_every,
                      whole(1, 1000000));
  optimisation.number("--mismatch", "X",
                      "weight of real images beside wrong digits, which the discriminator refuses; 0: none",
                      recipe.mismatch, not_negative);
  optimisation.choice("--g-samples", "that the generator learns from: its own, or shared with the discriminator's step",
                      {"own", "shared"}, recipe.shared_samples);
  optimisation.number("--average", "X", "decay of the moving average of the generator; 0: none", recipe.average,
                      fraction);

  OptionGroup output(app, "Output");
  add_logs(output, options.run);
  output.number("--evaluate-every", "N",
                "epochs from score to score of 2,000 samples; the best generator is kept; 0: none",
                options.evaluate_every, whole(0, 1000000));
  output.flag("--evaluate", "scores of 10,000 samples at the end, as mnist_gan evaluate gives them", options.evaluate);
  output.name("--recogniser", "FILE", "whose eyes to score with", options.recogniser)->default_str(options.recogniser);
  add_retries(output, options.run);
  add_silence(output, options.run);

  app.callback([&options, &app] {  // once all options are read
    check(options.run);
    refuse_other_networks(app, options.recipe);
    if (options.recipe.mismatch > 0 && !options.recipe.conditional)
      refuse("--mismatch", "--conditional yes, or 0", shortest(options.recipe.mismatch));
  });
}

void add_truncation(OptionGroup& group, std::optional<double>& truncation) {
  group
      .number<double>("--truncation", "X", "factor of z, below 1 for more typical digits", not_negative,
                      [&truncation](double x) { truncation = x; })
      ->default_str("the recipe's");
}

void add_sample(CLI::App& program, SampleOptions& options) {
  CLI::App& app = *program.add_subcommand("sample", "Draws digits with a trained generator.");
  app.formatter(std::make_shared<HelpFormatter>(
      "  mnist_gan sample --model runs/first/generator.safetensors --out digits.png\n"
      "  mnist_gan sample --model runs/first/generator.safetensors --count 10000 --out digits.idx3-ubyte\n"
      "  mnist_gan sample --model runs/told/generator.safetensors --digits 2024 --out year.png\n"
      "  mnist_gan sample --model runs/first/generator.safetensors --out digits.npy --save-z z.npy\n"
      "  mnist_gan sample --model runs/first/generator.safetensors --interpolate --out walks.png\n",
      30));
  const auto is_npy = [](std::string_view name) { return sample_format(name) == SampleFormat::npy; };
  OptionGroup group(app, "Options");
  group.name("--model", "FILE", "generator.safetensors of a run", options.model)->required();
  group
      .text(
          "--out", "FILE", ".png a sheet, .idx3-ubyte images as MNIST's, .npy float32 in [-1, 1]", options.out,
          [](std::string_view name) { return sample_format(name).has_value(); },
          "a name that ends in .png, .idx3-ubyte or .npy")
      ->required();
  group.text(
      "--digits", "DIGITS", "which digits, over and over, of a conditional generator", options.digits,
      [](std::string_view given) {
        return !given.empty() && given.find_first_not_of("0123456789") == std::string_view::npos;
      },
      "digits such as 2024");
  group
      .number<Index>("--count", "N", "how many digits, or rows with --interpolate", whole(1, 1000000),
                     [&options](Index n) { options.count = n; })
      ->default_str("as many as --digits has, else 100; 10 rows");
  group.number("--seed", "N", "which samples; a run's own seed gives its sheet", options.seed, any_seed);
  group.text("--save-z", "FILE", "also writes the z that they were made from: .npy, float32", options.save_z, is_npy,
             "a name that ends in .npy");
  add_truncation(group, options.truncation);
  group.flag("--interpolate", "a sheet of walks: each row goes from one digit to another", options.interpolate);
  group.threads(options.threads);

  app.callback([&options] {  // once all options are read
    if (!options.interpolate) return;
    if (sample_format(options.out) != SampleFormat::png) {
      refuse("--interpolate", "--out with a name that ends in .png", options.out);
    }
    if (options.count > most_walks) {
      refuse("--interpolate", whole(1, most_walks).name + " for --count", std::to_string(options.count));
    }
  });
}

void add_evaluate(CLI::App& program, EvaluateOptions& options) {
  CLI::App& app =
      *program.add_subcommand("evaluate", "Judges a trained generator's digits, beside images one knows the worth of.");
  app.formatter(std::make_shared<HelpFormatter>(
      "  mnist_gan evaluate --model runs/first/generator.safetensors --data data/mnist\n"
      "  mnist_gan evaluate --model runs/first/generator.safetensors --data data/mnist --json scores.json\n",
      30));
  OptionGroup group(app, "Options");
  group.name("--model", "FILE", "generator.safetensors of a run", options.model)->required();
  group.name("--data", "DIR", "folder of the MNIST files, plain or gzip", options.data)->required();
  group.name("--recogniser", "FILE", "whose eyes to see with", options.recogniser)->default_str(options.recogniser);
  add_truncation(group, options.truncation);
  group
      .number("--held-out", "N", "judges beside the last N training images, not the test images", options.held_out,
              whole(100, 1000000))
      ->default_str("the test images");
  group.number("--count", "N", "samples, and images of each reference", options.count, whole(100, 60000));
  group.number("--seed", "N", "which digits", options.seed, any_seed);
  group.name("--json", "FILE", "also writes the scores for machines", options.json);
  group.threads(options.threads);
}

void add_race(CLI::App& program, RaceOptions& options) {
  CLI::App& app = *program.add_subcommand(
      "race", "Trains until samples are as good as the seed recipe's after all its epochs, and prints the seconds.");
  app.formatter(std::make_shared<HelpFormatter>("  mnist_gan race --data data/mnist --seed 2\n", 30));
  OptionGroup group(app, "Options");
  group.name("--data", "DIR", "folder of the MNIST files, plain or gzip", options.data)->required();
  add_recipe(group, options.recipe);
  group.number("--inception", "X", "Inception Score to reach", options.inception, not_negative);
  group.number("--frechet", "X", "Frechet distance to come below", options.frechet, not_negative);
  group.number("--every", "N", "steps from score to score", options.every, whole(1, 1000000));
  group.number("--count", "N", "samples that are scored", options.count, whole(100, 60000));
  group.name("--recogniser", "FILE", "whose eyes to see with", options.recogniser)->default_str(options.recogniser);
  group.number("--seed", "N", "everything random follows from it", options.seed, any_seed);
  group.threads(options.threads);
}

/// The options and where their values go.
struct Program {
  CLI::App app{"Trains a generative adversarial network on MNIST and draws digits with it.", "mnist_gan"};
  TrainOptions train;
  EvaluateOptions evaluate;
  RaceOptions race;
  SampleOptions sample;

  Program() {
    app.formatter(std::make_shared<HelpFormatter>(
        "  mnist_gan train --data data/mnist --out runs/first\n"
        "  mnist_gan sample --model runs/first/generator.safetensors --out digits.png\n",
        14));
    app.set_help_flag("-h,--help", "this text");
    app.set_version_flag("--version", concat("mnist_gan (eigan) ", eigan::version), "the version");
    app.require_subcommand(1);
    add_train(app, train);
    add_evaluate(app, evaluate);
    add_race(app, race);
    add_sample(app, sample);
  }
};

}  // namespace

Command parse_arguments(int argc, const char* const* argv) {
  static Program program;  // to make one takes much longer than to read a command line
  program.train = {};
  program.evaluate = {};
  program.race = {};
  program.sample = {};
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
  if (app.got_subcommand("train")) return program.train;
  if (app.got_subcommand("evaluate")) return program.evaluate;
  if (app.got_subcommand("race")) return program.race;
  return program.sample;
}

}  // namespace mnist_gan
