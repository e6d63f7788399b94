// mnist_recogniser: trains a network that knows MNIST's digits, and asks it. `mnist_recogniser --help` says how.
#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <eigan/version.hpp>

#include "kit/command_line.hpp"
#include "kit/exit_code.hpp"
#include "kit/guarded.hpp"

#include "evaluate.hpp"
#include "options.hpp"
#include "recognise_files.hpp"
#include "train.hpp"

namespace mnist_recogniser {

using namespace kit;
using eigan::Index;

namespace {

constexpr const char* emnist_splits = "digits, mnist, balanced, byclass or bymerge";

bool is_emnist_split(std::string_view name) {
  constexpr std::array<std::string_view, 5> splits{"digits", "mnist", "balanced", "byclass", "bymerge"};
  return std::find(splits.begin(), splits.end(), name) != splits.end();
}

void add_data(OptionGroup& group, DataOptions& data) {
  group.name("--data", "DIR", "folder of the MNIST files, plain or gzip", data.folder)->required();
  group.text("--emnist", "SPLIT", "they are EMNIST's, this split's digits", data.emnist, is_emnist_split,
             emnist_splits);
}

/// `changes`: what the other options do to the recipe, once it is known which.
void add_train(CLI::App& program, TrainOptions& options, std::vector<std::function<void(Recipe&)>>& changes) {
  CLI::App& app = *program.add_subcommand("train", "Trains a recogniser of digits and writes it to a file.");
  app.formatter(std::make_shared<HelpFormatter>(
      "  mnist_recogniser train --data data/mnist --out recogniser.safetensors\n"
      "  mnist_recogniser train --data data/mnist --out quick.safetensors --recipe quick\n",
      22));
  OptionGroup group(app, "Options");
  const auto change = [&group, &changes]<class T>(const char* name, const char* unit, const char* description,
                                                  T Recipe::*member, const Range<T>& range) {
    const auto note = [member, &changes](T value) {
      changes.push_back([=](Recipe& recipe) { recipe.*member = value; });
    };
    group.number<T>(name, unit, description, range, note)->default_str("the recipe's");
  };
  add_data(group, options.data);
  group.name("--out", "FILE", "the model, safetensors; a file of that name is replaced", options.out)->required();
  group
      .read("--recipe", "NAME", "how long: quick, short, default or long",
            [&options](const std::string& name) {
              const auto* const recipe =
                  std::find_if(recipes.begin(), recipes.end(), [&](const Recipe& r) { return r.name == name; });
              if (recipe == recipes.end()) refuse("--recipe", "quick, short, default or long", name);
              options.recipe = *recipe;
            })
      ->default_str("default");
  const Range<double> epochs{"a number above 0, up to 1000000", [](double x) { return x > 0 && x <= 1e6; }};
  const Range<double> warp{"a number from 0 to 5", [](double x) { return x >= 0 && x <= 5; }};
  change("--epochs", "X", "passes over the images", &Recipe::epochs, epochs);
  change("--warp", "X", "how far images are warped; 0 not at all", &Recipe::warp, warp);
  change("--mirror", "P", "probability that an image is mirrored, as garments may be and digits not", &Recipe::mirror,
         Range<double>{"a number from 0 to 1", [](double x) { return x >= 0 && x <= 1; }});
  change("--dropout", "P", "probability of dropping a value that goes into a dense layer", &Recipe::dropout,
         Range<double>{"a number from 0 to below 0.999", [](double x) { return x >= 0 && x < 0.999; }});
  change("--batch", "N", "images a step", &Recipe::batch, whole(1, 65536));
  change("--lr", "X", "Adam's learning rate at its highest", &Recipe::lr, positive);
  change("--warm-up", "X", "part of the steps in which it rises to that", &Recipe::warm_up, fraction);
  group.number("--held-out", "N", "looks at the last N training images, not the test images", options.held_out,
               whole(0, 1000000));
  group.number("--seed", "N", "everything random follows from it", options.seed, any_seed);
  group.threads(options.threads);
  group.flag("--quiet", "only warnings and errors", options.quiet);
}

void add_evaluate(CLI::App& program, EvaluateOptions& options) {
  CLI::App& app = *program.add_subcommand("evaluate", "Says what a recogniser knows of the test images.");
  app.formatter(std::make_shared<HelpFormatter>(
      "  mnist_recogniser evaluate --data data/mnist\n"
      "  mnist_recogniser evaluate --data data/mnist --model recogniser.safetensors --out mistakes.png\n",
      22));
  OptionGroup group(app, "Options");
  add_data(group, options.data);
  group.name("--model", "FILE", "what train wrote", options.model)->default_str(options.model);
  group.text(
      "--out", "FILE", "also draws up to 100 mistakes, the most confident first: .png", options.out,
      [](std::string_view name) { return name.ends_with(".png"); }, "a name that ends in .png");
  group.threads(options.threads);
}

void add_recognise(CLI::App& program, RecogniseOptions& options) {
  CLI::App& app = *program.add_subcommand("recognise", "Says which digits images show.");
  app.formatter(
      std::make_shared<HelpFormatter>("  mnist_recogniser recognise seven.png nine.jpg\n"
                                      "  mnist_recogniser recognise --model recogniser.safetensors digits.idx3-ubyte\n",
                                      22));
  OptionGroup group(app, "Options");
  group.name("--model", "FILE", "what train wrote", options.model)->default_str(options.model);
  group.flag("--emnist", "the images are transposed, as in EMNIST's files", options.emnist);
  app.add_option("FILE", options.files, "images, each with one digit: PNG or JPEG of any size, or IDX, plain or gzip")
      ->option_text("...")
      ->required();
}

int run(int argc, char** argv) {
  CLI::App program("Trains a network that knows MNIST's digits, and asks it.", "mnist_recogniser");
  program.formatter(
      std::make_shared<HelpFormatter>("  mnist_recogniser train --data data/mnist --out recogniser.safetensors\n", 14));
  program.set_help_flag("-h,--help", "this text");
  program.set_version_flag("--version", concat("mnist_recogniser (eigan) ", eigan::version), "the version");
  program.require_subcommand(1);
  TrainOptions train_options;
  EvaluateOptions evaluate_options;
  RecogniseOptions recognise_options;
  std::vector<std::function<void(Recipe&)>> changes;
  add_train(program, train_options, changes);
  add_evaluate(program, evaluate_options);
  add_recognise(program, recognise_options);

  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help or --version
    return program.exit(success);
  } catch (const CLI::ParseError& error) {
    return fail("mnist_recogniser", concat(explain(program, error), " (--help shows the options)"), usage);
  }
  if (program.got_subcommand("train")) {
    for (const auto& change : changes) change(train_options.recipe);
    return train(train_options);
  }
  if (program.got_subcommand("evaluate")) return evaluate(evaluate_options);
  return recognise_files(recognise_options);
}

}  // namespace
}  // namespace mnist_recogniser

int main(int argc, char** argv) {
  return kit::guarded("mnist_recogniser", [&] { return mnist_recogniser::run(argc, argv); });
}
