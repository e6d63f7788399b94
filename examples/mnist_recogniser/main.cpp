// mnist_recogniser: trains a network that knows MNIST's digits, and asks it. `mnist_recogniser --help` says how.
#include <memory>
#include <string>
#include <string_view>

#include <eigan/version.hpp>

#include "kit/command_line.hpp"
#include "kit/exit_code.hpp"
#include "kit/guarded.hpp"

#include "evaluate.hpp"
#include "options.hpp"
#include "recognise_files.hpp"
#include "train.hpp"

namespace mnist_recogniser {

using namespace example;
using eigan::Index;

namespace {

void add_train(CLI::App& program, TrainOptions& options) {
  CLI::App& app = *program.add_subcommand("train", "Trains a recogniser of digits and writes it to a file.");
  app.formatter(
      std::make_shared<HelpFormatter>("  mnist_recogniser train --data data/mnist --out recogniser.safetensors\n"
                                      "  mnist_recogniser train --data data/mnist --out quick.safetensors --epochs 3\n",
                                      22));
  OptionGroup group(app, "Options");
  group.name("--data", "DIR", "folder of the MNIST files, plain or gzip", options.data)->required();
  group.name("--out", "FILE", "the model, safetensors; a file of that name is replaced", options.out)->required();
  group.number("--epochs", "N", "passes over the images", options.recipe.epochs, whole(1, 1000000));
  group.number("--batch", "N", "images a step", options.recipe.batch, whole(1, 65536));
  group.number("--lr", "X", "Adam's learning rate at its highest", options.recipe.lr, positive);
  group.number("--warm-up", "N", "steps in which it rises to that", options.recipe.warm_up, whole(0, 1000000));
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
  group.name("--data", "DIR", "folder of the MNIST files, plain or gzip", options.data)->required();
  group.name("--model", "FILE", "what train wrote", options.model)->default_str(options.model);
  group.text(
      "--out", "FILE", "also draws up to 100 mistakes, the most confident first: .png", options.out,
      [](std::string_view name) { return name.ends_with(".png"); }, "a name that ends in .png");
  group.threads(options.threads);
}

void add_recognise(CLI::App& program, RecogniseOptions& options) {
  CLI::App& app = *program.add_subcommand("recognise", "Says which digits images show.");
  app.formatter(
      std::make_shared<HelpFormatter>("  mnist_recogniser recognise seven.png nine.png\n"
                                      "  mnist_recogniser recognise --model recogniser.safetensors digits.idx3-ubyte\n",
                                      22));
  OptionGroup group(app, "Options");
  group.name("--model", "FILE", "what train wrote", options.model)->default_str(options.model);
  app.add_option("FILE", options.files, "images, each with one digit: PNG of any size, or IDX, plain or gzip")
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
  add_train(program, train_options);
  add_evaluate(program, evaluate_options);
  add_recognise(program, recognise_options);

  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help or --version
    return program.exit(success);
  } catch (const CLI::ParseError& error) {
    return fail("mnist_recogniser", concat(explain(program, error), " (--help shows the options)"), usage);
  }
  if (program.got_subcommand("train")) return train(train_options);
  if (program.got_subcommand("evaluate")) return evaluate(evaluate_options);
  return recognise_files(recognise_options);
}

}  // namespace
}  // namespace mnist_recogniser

int main(int argc, char** argv) {
  return example::guarded("mnist_recogniser", [&] { return mnist_recogniser::run(argc, argv); });
}
