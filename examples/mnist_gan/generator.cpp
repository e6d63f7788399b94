#include "generator.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include <eigan/core/exact_text.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/io/model_file.hpp>
#include <eigan/net/estimate_statistics.hpp>

#include "kit/exit_code.hpp"
#include "kit/text.hpp"

namespace mnist_gan {
namespace {

using eigan::SafetensorsFile;

template <class... Parts>
[[noreturn]] void fail(const SafetensorsFile& file, const Parts&... parts) {
  throw eigan::Error(concat(file.name(), ": ", parts...));
}

std::string text_of(const SafetensorsFile& file, const char* key) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end()) {
    fail(file, "expected '", key, "' in the metadata of a generator that mnist_gan trained, found none");
  }
  return found->second;
}

/// Which of two words the metadata has under this key; the first where it has none, as files had before there was a
/// choice.
bool is_second(const SafetensorsFile& file, const char* key, const std::array<const char*, 2>& words) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end() || found->second == words[0]) return false;
  if (found->second != words[1])
    fail(file, "metadata '", key, "': expected ", words[0], " or ", words[1], ", found '",
         eigan::printable(found->second), "'");
  return true;
}

double number_of(const SafetensorsFile& file, const char* key, double below) {
  const std::string text = text_of(file, key);
  double value = 0;
  if (!eigan::parse_number(text, value) || !(value >= 0 && value < below)) {
    fail(file, "metadata '", key, "': expected a number from 0 to below ", below, ", found '", eigan::printable(text),
         "'");
  }
  return value;
}

/// The same for what files from before there was such a number do not have.
double number_or(const SafetensorsFile& file, const char* key, double otherwise, double below) {
  return file.metadata().contains(key) ? number_of(file, key, below) : otherwise;
}

/// The extents of a tensor that must be there, none of them 0: then the file's own length bounds each.
std::vector<Index> extents_of(const SafetensorsFile& file, const std::string& name, std::size_t rank,
                              const std::string& expected) {
  const eigan::TensorInfo* const tensor = file.find(name);
  if (tensor == nullptr || tensor->shape.size() != rank) fail(file, "expected ", expected, " '", name, "'");
  std::vector<Index> extents;
  for (const std::uint64_t extent : tensor->shape) {
    if (extent == 0) fail(file, "tensor '", name, "': expected numbers, found an empty one");
    extents.push_back(static_cast<Index>(extent));
  }
  return extents;
}

bool is_of_rank(const SafetensorsFile& file, const std::string& name, std::size_t rank) {
  const eigan::TensorInfo* const tensor = file.find(name);
  return tensor != nullptr && tensor->shape.size() == rank;
}

/// The sizes of dense layers, as the weights have them: [out, in]. Returns those of the input.
Index read_dense(const SafetensorsFile& file, Recipe& recipe) {
  Index input = 0, receives = 0;
  for (std::size_t linear = 0; linear <= hidden_layers; ++linear) {
    const std::string name = concat(3 * linear, ".weight");
    const auto extents =
        extents_of(file, name, 2, concat("a generator with ", hidden_layers, " hidden layers, found no matrix"));
    const Index out = extents[0], in = extents[1];
    if (linear > 0 && in != receives)
      fail(file, "tensor '", name, "': expected ", receives, " inputs, what the layer before it gives, found ", in);
    if (linear == 0) input = in;
    if (linear < hidden_layers) recipe.g_hidden.push_back(out);
    receives = out;
  }
  if (receives != image_size)
    fail(file, "expected a generator of ", image_size, " pixels, found one of ", receives, " outputs");
  return input;
}

/// The sizes of dense layers and, behind them, the channels of convolutions, as the weights have them: [in, out, 4, 4].
Index read_convolutional(const SafetensorsFile& file, Recipe& recipe) {
  recipe.latent_skip = file.find("0.body.0.weight") != nullptr;
  const std::string row = recipe.latent_skip ? "0.body." : "";
  std::size_t last = 0;  // of the dense layers
  std::string name = row + "0.weight";
  auto extents = extents_of(file, name, 2, "a generator that begins with a matrix, found none in");
  const Index input = extents[1];
  const auto follow = [&](const std::string& next, Index skipping) {
    recipe.g_hidden.push_back(extents[0]);
    const Index receives = extents[0] + skipping;
    extents = extents_of(file, name = next, 2, "a dense layer, found none in");
    if (extents[1] != receives)
      fail(file, "tensor '", name, "': expected ", receives, " inputs, what the layer before it gives, found ",
           extents[1]);
  };
  for (; is_of_rank(file, concat(row, last + 3, ".weight"), 2); last += 3) follow(concat(row, last + 3, ".weight"), 0);
  if (recipe.latent_skip) {
    last = 1;
    follow("1.weight", input);
  }
  const auto convolution =
      extents_of(file, concat(last + (recipe.batch_norm ? 4 : 3), ".weight"), 4, "a convolution, found none in");
  recipe.g_channels = {convolution[1], convolution[0]};
  if (extents[0] / (7 * 7) != convolution[0] || extents[0] % (7 * 7) != 0)
    fail(file, "tensor '", name, "': expected ", convolution[0], " channels of 7x7 pixels, found ", extents[0],
         " outputs");
  return input;
}

}  // namespace

DigitGenerator DigitGenerator::untrained() const {
  DigitGenerator fresh{model.fresh(eigan::Rng(0)), recipe};
  constexpr Index samples = 1000;
  std::vector<std::uint8_t> digits(latent().classes > 0 ? samples : 0);
  for (std::size_t j = 0; j < digits.size(); ++j) digits[j] = static_cast<std::uint8_t>(j % digit_count);
  eigan::estimate_statistics(fresh.model, sample_input(latent(), digits, samples, 0, 1));
  return fresh;
}

DigitGenerator load_generator(const std::filesystem::path& path) {
  return reading([&] { return load_generator(SafetensorsFile::read(path)); });
}

DigitGenerator load_generator(const SafetensorsFile& file) {
  if (const std::string network = text_of(file, "network"); network != "generator")
    fail(file, "expected a generator, found a ", eigan::printable(network));
  const auto count_of = [&](const char* key) {
    const double value = number_or(file, key, 0, 1e9);
    if (value != std::floor(value)) fail(file, "metadata '", key, "': expected a whole number, found ", value);
    return static_cast<Index>(value);
  };
  Recipe recipe{};
  recipe.batch_norm = is_second(file, "normalisation", normalisations);
  recipe.g_negative_slope = number_of(file, "negative_slope", 1e30);
  recipe.dropout = number_of(file, "dropout", dropout_below);
  recipe.conditional = is_second(file, "conditional", yes_or_no);
  recipe.normal_latent = is_second(file, "latent_distribution", distributions);
  recipe.components = count_of("components");
  recipe.truncation = number_or(file, "truncation", 1, 1e9);
  recipe.holdout = count_of("holdout");

  const bool convolutional = std::any_of(file.tensors().begin(), file.tensors().end(),
                                         [](const eigan::TensorInfo& tensor) { return tensor.shape.size() == 4; });
  const Index input = convolutional ? read_convolutional(file, recipe) : read_dense(file, recipe);
  const Index codes = recipe.latent_space().input_size() - recipe.latent;
  recipe.latent = input - codes;
  if (recipe.latent < 1)
    fail(file, "expected a generator with ", recipe.components, " components and ", recipe.latent_space().classes,
         " classes to take more than ", codes, " numbers, found ", input);
  DigitGenerator generator{make_generator(recipe, eigan::Rng(0)), recipe};
  eigan::load(file, generator.model);
  return generator;
}

}  // namespace mnist_gan
