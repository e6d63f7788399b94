#include "prepare_options.hpp"

#include <memory>

namespace image_to_image {

using namespace kit;

void add_prepare(CLI::App& program, PrepareOptions& options) {
  std::string names, list;
  for (const Task& task : tasks()) {
    names += concat(names.empty() ? "" : ", ", task.name);
    list += concat("\n  ", task.name, ": ", task.text);
  }
  CLI::App& app =
      *program.add_subcommand("prepare", concat("Makes a task's training data of pictures that were fetched.", list));
  app.formatter(
      std::make_shared<HelpFormatter>("  image_to_image prepare edges2fashion\n"
                                      "  image_to_image prepare outline2emoji --size 64 --out data/emoji64",
                                      30));
  const auto parse = [&options, names](const std::string& given) {
    options.task = find_task(given);
    if (options.task == nullptr) refuse("TASK", names, given);
  };
  app.add_option_function<std::string>("TASK", parse, names)->required()->option_text(" ");
  OptionGroup group(app, "Options");
  group.name("--data", "DIR", "folder of its pictures", options.data)->default_str("the task's own");
  group.name("--mnist", "DIR", "folder of the MNIST files, for mnist2fonts", options.mnist)->default_str("data/mnist");
  group.name("--out", "DIR", "folder to write", options.out)->default_str("data/prepared/TASK");
  group.number("--size", "N", "height and width of drawings", options.size, whole(16, 128));
}

}  // namespace image_to_image
