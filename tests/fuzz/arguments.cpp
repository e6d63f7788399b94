// The command line of mnist_gan: options within their ranges, or a refusal. Words are separated by line ends.
#include <string>
#include <variant>

#include "mnist_gan/options.hpp"

#include "fuzz.hpp"

namespace {

using namespace mnist_gan;

struct Check {
  void operator()(const TrainOptions& options) const {
    const Recipe& r = options.recipe;
    fuzz::require(!options.data.empty() && !options.run.out.empty() && find_recipe(r.name) != nullptr);
    fuzz::require(r.epochs >= 1 && r.batch >= 1 && r.latent >= 1 && r.components >= 0 && options.run.threads >= 0);
    fuzz::require(r.g_hidden.size() == 3 && !r.d_hidden.empty() && r.d_hidden.size() <= 3);
    for (const auto& sizes : {r.g_hidden, r.d_hidden})
      for (const Index n : sizes) fuzz::require(n >= 1 && n <= 16384);
    if (r.convolutional()) {
      fuzz::require(r.g_channels.size() == 2 && (r.d_channels.size() == 2 || r.d_channels.size() == 3));
      for (const auto& channels : {r.g_channels, r.d_channels})
        for (const Index n : channels) fuzz::require(n >= 1 && n <= 1024);
    }
    fuzz::require(r.g_lr > 0 && r.d_lr > 0 && r.beta1 >= 0 && r.beta1 < 1 && r.dropout >= 0 && r.dropout < 1);
  }
  void operator()(const EvaluateOptions& options) const {
    fuzz::require(!options.model.empty() && !options.data.empty() && options.count >= 100);
  }
  void operator()(const RaceOptions& options) const { fuzz::require(!options.data.empty() && options.every >= 1); }
  void operator()(const SampleOptions& options) const {
    fuzz::require(!options.model.empty() && options.count >= 0 && options.count <= 1000000);
  }
  void operator()(const Answer& answer) const { fuzz::require(!answer.text.empty()); }
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> words{"mnist_gan", ""};
  for (const std::uint8_t byte : std::span(data, size)) {
    if (byte == '\n' || byte == 0)
      words.emplace_back();
    else
      words.back().push_back(static_cast<char>(byte));
  }
  std::vector<const char*> arguments;
  for (const auto& word : words) arguments.push_back(word.c_str());
  try {
    std::visit(Check(), parse_arguments(static_cast<int>(arguments.size()), arguments.data()));
  } catch (const BadUsage& error) {
    fuzz::require(*error.what() != '\0');
  }
  return 0;
}
