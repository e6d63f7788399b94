#include "generator_file.hpp"

#include <array>
#include <cmath>
#include <string>
#include <utility>

#include <eigan/core/exact_text.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/gan/networks.hpp>
#include <eigan/io/model_file.hpp>
#include <eigan/io/safetensors.hpp>
#include <eigan/net/input.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

#include "common/exit_code.hpp"
#include "common/text.hpp"

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

/// The sizes from input to output, as the weights have them: [out, in], in the layers that are Linear.
Sizes sizes_of(const SafetensorsFile& file) {
  Sizes sizes{};
  for (std::size_t linear = 0; linear + 1 < sizes.size(); ++linear) {
    const std::string name = concat(3 * linear, ".weight");
    const eigan::TensorInfo* const weight = file.find(name);
    if (weight == nullptr || weight->shape.size() != 2) {
      fail(file, "expected a generator with ", hidden_layers, " hidden layers, found no matrix '", name, "'");
    }
    const auto [out, in] = std::pair{weight->shape[0], weight->shape[1]};
    // An extent of 0 would let the other one be anything; without it, the file's own length bounds both.
    if (out == 0 || in == 0) fail(file, "tensor '", name, "': expected a matrix, found an empty one");
    const auto receives = static_cast<std::uint64_t>(sizes[linear]);
    if (linear > 0 && in != receives) {
      fail(file, "tensor '", name, "': expected ", receives, " inputs, what the layer before it gives, found ", in);
    }
    sizes[linear] = static_cast<Index>(in);
    sizes[linear + 1] = static_cast<Index>(out);
  }
  if (sizes.back() != image_size) {
    fail(file, "expected a generator of ", image_size, " pixels, found one of ", sizes.back(), " outputs");
  }
  return sizes;
}

constexpr std::array normalisations{"none", "batch"};
constexpr std::array distributions{"uniform", "normal"};
constexpr std::array yes_or_no{"no", "yes"};

}  // namespace

AnyModel make_generator_model(const Sizes& sizes, bool batch_norm, double negative_slope, double dropout,
                              eigan::Rng rng) {
  const eigan::HiddenOptions options{.negative_slope = negative_slope, .dropout = dropout};
  if (batch_norm) return eigan::Model(eigan::make_normalized_generator(sizes, options), rng);
  return eigan::Model(eigan::make_generator(sizes, options), rng);
}

AnyModel make_discriminator_model(const Recipe& recipe, eigan::Rng rng) {
  const auto net = eigan::make_discriminator(recipe.discriminator_sizes(),
                                             {.negative_slope = recipe.d_negative_slope, .dropout = recipe.dropout});
  if (!recipe.conditional) return eigan::Model(net, rng);
  return eigan::Model(eigan::Sequential(eigan::Inputs(eigan::Input<>(image_size), eigan::Input<>(digit_count)), net),
                      rng);
}

Metadata metadata(const char* network, const Recipe& recipe, const Progressed& progressed) {
  const bool generator = std::string_view(network) == "generator";
  return {{"network", network},
          {"sizes", joined(generator ? recipe.generator_sizes() : recipe.discriminator_sizes(), ',')},
          {"normalisation", normalisations[generator && recipe.batch_norm ? 1 : 0]},
          {"negative_slope", shortest(generator ? recipe.g_negative_slope : recipe.d_negative_slope)},
          {"dropout", shortest(recipe.dropout)},
          {"recipe", recipe.name},
          {"latent", std::to_string(recipe.latent)},
          {"latent_distribution", distributions[recipe.normal_latent ? 1 : 0]},
          {"components", std::to_string(recipe.components)},
          {"truncation", shortest(recipe.truncation)},
          {"conditional", yes_or_no[recipe.conditional ? 1 : 0]},
          {"holdout", std::to_string(recipe.holdout)},
          {"seed", std::to_string(progressed.seed)},
          {"epoch", std::to_string(progressed.epoch)},
          {"step", std::to_string(progressed.step)}};
}

DigitGenerator load_generator(const std::filesystem::path& path) {
  return reading([&] { return load_generator(SafetensorsFile::read(path)); });
}

DigitGenerator load_generator(const SafetensorsFile& file) {
  if (const std::string network = text_of(file, "network"); network != "generator") {
    fail(file, "expected a generator, found a ", eigan::printable(network));
  }
  const Sizes sizes = sizes_of(file);
  const auto count_of = [&](const char* key) {
    const double value = number_or(file, key, 0, 1e9);
    if (value != std::floor(value)) fail(file, "metadata '", key, "': expected a whole number, found ", value);
    return static_cast<Index>(value);
  };
  const Index classes = is_second(file, "conditional", yes_or_no) ? digit_count : 0;
  const Index components = count_of("components"), size = sizes.front() - classes - components;
  if (size < 1)
    fail(file, "expected a generator with ", components, " components and ", classes, " classes to take more than ",
         components + classes, " numbers, found ", sizes.front());
  const Drawing drawing{{size, is_second(file, "latent_distribution", distributions), components, classes},
                        number_or(file, "truncation", 1, 1e9),
                        count_of("holdout")};
  DigitGenerator generator{make_generator_model(sizes, is_second(file, "normalisation", normalisations),
                                                number_of(file, "negative_slope", 1e30),
                                                number_of(file, "dropout", dropout_below), eigan::Rng(0)),
                           drawing};
  eigan::load(file, generator.model);
  return generator;
}

}  // namespace mnist_gan
