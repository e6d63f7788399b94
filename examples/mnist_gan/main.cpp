// mnist_gan: trains the GAN of Goodfellow et al. 2014 on MNIST and draws digits with it. `mnist_gan --help` says how.
#include <algorithm>
#include <cmath>
#include <exception>
#include <memory>
#include <new>
#include <string>

#include <eigan/core/printable.hpp>
#include <eigan/version.hpp>

#include "command_line.hpp"
#include "exit_code.hpp"
#include "message.hpp"
#include "options.hpp"
#include "sample.hpp"
#include "train.hpp"

namespace mnist_gan {
namespace {

constexpr Index largest_size = 16384;
constexpr Index most_walks = 10000;

const Range<double> positive{"a number above 0", [](double x) { return x > 0 && std::isfinite(x); }};
const Range<double> not_negative{"a number from 0", [](double x) { return x >= 0 && std::isfinite(x); }};
const Range<double> fraction{"a number from 0 to below 1", [](double x) { return x >= 0 && x < 1; }};
const Range<double> label{"a number above 0 to 1", [](double x) { return x > 0 && x <= 1; }};
const Range<std::uint64_t> any_seed{"a whole number from 0 to 2^64 - 1", [](std::uint64_t) { return true; }};

void add_threads(OptionGroup& group, int& threads) {
  group
      .number<Index>("--threads", "N", "threads; the result does not depend on them", whole(1, 1024),
                     [&threads](Index n) { threads = static_cast<int>(n); })
      ->default_str("all processors");
}

void add_train(CLI::App& program, TrainOptions& options) {
  CLI::App& app = *program.add_subcommand("train", "Trains a generator of digits and writes a folder of results.");
  app.formatter(std::make_shared<HelpFormatter>(
      "  mnist_gan train --data data/mnist --out runs/first\n"
      "  mnist_gan train --data data/mnist --out runs/short --epochs 20\n"
      "  mnist_gan train --data data/mnist --out runs/other --seed 2 --lr 0.0005 --dropout 0\n",
      30));
  Recipe& recipe = options.recipe;

  OptionGroup run(app, "Options");
  run.name("--data", "DIR", "folder of the MNIST files, plain or gzip", options.data)->required();
  run.name("--out", "DIR", "folder for the results; made if it is not there", options.out)->required();
  // Before the options that it gives values to: the command line is read in this order.
  run.read("--recipe", "NAME", concat("what the options below are unless they are given: ", recipe_names()),
           [&recipe](const std::string& name) {
             const Recipe* const found = find_recipe(name);
             if (found == nullptr) refuse("--recipe", recipe_names(), name);
             recipe = *found;
           })
      ->default_str(recipe.name);
  run.number("--epochs", "N", "passes over the images", recipe.epochs, whole(1, 1000000));
  run.number("--batch", "N", "images a step", recipe.batch, whole(1, 65536));
  run.number("--seed", "N", "everything random follows from it", options.seed, any_seed);
  add_threads(run, options.threads);
  run.flag("--force", "replace the run in --out", options.force);

  OptionGroup networks(app, "Networks");
  networks.number("--latent", "N", "size of z, uniform in [-1, 1), the generator's input", recipe.latent,
                  whole(1, largest_size));
  networks.sizes("--g-hidden", "the generator's hidden layers", recipe.g_hidden, largest_size);
  networks.sizes("--d-hidden", "the discriminator's hidden layers", recipe.d_hidden, largest_size);
  networks.number("--negative-slope", "X", "of the leaky ReLU on every hidden layer", recipe.negative_slope,
                  Range<double>{"a number from 0 to 1", [](double x) { return x >= 0 && x <= 1; }});
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
  optimisation.number("--beta1", "X", "decay of the mean of gradients", recipe.beta1, fraction);
  optimisation.number("--beta2", "X", "decay of the mean of their squares", recipe.beta2, fraction);
  optimisation.number("--eps", "X", "added to the root of the latter", recipe.eps, not_negative);
  optimisation.number("--real-label", "X", "target for real images in the discriminator's loss", recipe.real_label,
                      label);

  OptionGroup output(app, "Output");
  output.number("--samples-every", "N", "epochs from sheet to sheet; 0: only the last", options.samples_every,
                whole(0, 1000000));
  output.number("--log-every", "N", "steps that a row of losses.csv is the mean of", options.log_every,
                whole(1, 1000000));
  output.flag("--quiet", "only warnings and errors", options.quiet);
  output.flag("--no-progress", "no progress line, only a line an epoch", options.no_progress);
}

void add_sample(CLI::App& program, SampleOptions& options) {
  CLI::App& app = *program.add_subcommand("sample", "Draws digits with a trained generator.");
  app.formatter(std::make_shared<HelpFormatter>(
      "  mnist_gan sample --model runs/first/generator.safetensors --out digits.png\n"
      "  mnist_gan sample --model runs/first/generator.safetensors --count 10000 --out digits.idx3-ubyte\n"
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
  group.number("--count", "N", "how many digits, or rows with --interpolate", options.count, whole(1, 1000000))
      ->default_str("100, or 10 rows");
  group.number("--seed", "N", "which digits; a run's own seed gives its sheet", options.seed, any_seed);
  group.text("--save-z", "FILE", "also writes the z that they were made from: .npy, float32", options.save_z, is_npy,
             "a name that ends in .npy");
  group.flag("--interpolate", "a sheet of walks: each row goes from one digit to another", options.interpolate);
  add_threads(group, options.threads);

  app.callback([&app, &options] {  // once all options are read
    if (!options.interpolate) return;
    if (sample_format(options.out) != SampleFormat::png) {
      refuse("--interpolate", "--out with a name that ends in .png", options.out);
    }
    if (app.count("--count") == 0) options.count = 10;
    if (options.count > most_walks) {
      refuse("--interpolate", whole(1, most_walks).name + " for --count", std::to_string(options.count));
    }
  });
}

int fail(const std::string& message, int code) {
  say("mnist_gan: error: ", eigan::printable(message, 8192));
  return code;
}

int run(int argc, char** argv) {
  CLI::App program("Trains a generative adversarial network on MNIST and draws digits with it.", "mnist_gan");
  program.formatter(
      std::make_shared<HelpFormatter>("  mnist_gan train --data data/mnist --out runs/first\n"
                                      "  mnist_gan sample --model runs/first/generator.safetensors --out digits.png\n",
                                      14));
  program.set_help_flag("-h,--help", "this text");
  program.set_version_flag("--version", concat("mnist_gan (eigan) ", eigan::version), "the version");
  program.require_subcommand(1);
  TrainOptions train_options;
  SampleOptions sample_options;
  add_train(program, train_options);
  add_sample(program, sample_options);

  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help or --version
    return program.exit(success);
  } catch (const CLI::ParseError& error) {
    return fail(concat(explain(program, error), " (--help shows the options)"), usage);
  }
  return program.got_subcommand("train") ? train(train_options) : sample(sample_options);
}

}  // namespace
}  // namespace mnist_gan

int main(int argc, char** argv) {
  using namespace mnist_gan;
  try {
    return run(argc, argv);
  } catch (const BadInput& error) {
    return fail(error.what(), bad_input);
  } catch (const Diverged& error) {
    return fail(error.what(), diverged);
  } catch (const std::bad_alloc&) {
    return fail("out of memory", failure);
  } catch (const std::exception& error) {
    return fail(error.what(), failure);
  }
}
