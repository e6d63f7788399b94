#include "generator_file.hpp"

#include <charconv>
#include <system_error>

#include <eigan/core/printable.hpp>
#include <eigan/io/model_file.hpp>
#include <eigan/io/safetensors.hpp>

#include "common/exit_code.hpp"
#include "common/text.hpp"

namespace mnist_gan {
namespace {

using eigan::SafetensorsFile;

template <class... Parts>
[[noreturn]] void fail(const SafetensorsFile& file, const Parts&... parts) {
  throw eigan::Error(concat(file.name(), ": ", parts...));
}

std::map<std::string, std::string> metadata(const char* network, const Sizes& sizes, const Recipe& recipe,
                                            const Progressed& progressed) {
  return {{"network", network},
          {"sizes", joined(sizes, ',')},
          {"negative_slope", shortest(recipe.negative_slope)},
          {"dropout", shortest(recipe.dropout)},
          {"recipe", recipe.name},
          {"latent", std::to_string(recipe.latent)},
          {"seed", std::to_string(progressed.seed)},
          {"epoch", std::to_string(progressed.epoch)},
          {"step", std::to_string(progressed.step)}};
}

std::string text_of(const SafetensorsFile& file, const char* key) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end()) {
    fail(file, "expected '", key, "' in the metadata of a generator that mnist_gan trained, found none");
  }
  return found->second;
}

double number_of(const SafetensorsFile& file, const char* key, double below) {
  const std::string text = text_of(file, key);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= 0 && value < below)) {
    fail(file, "metadata '", key, "': expected a number from 0 to below ", below, ", found '", eigan::printable(text),
         "'");
  }
  return value;
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

}  // namespace

void save_generator(const std::filesystem::path& path, const GeneratorModel& model, const Recipe& recipe,
                    const Progressed& progressed) {
  eigan::save(path, model, metadata("generator", recipe.generator_sizes(), recipe, progressed));
}

void save_discriminator(const std::filesystem::path& path, const DiscriminatorModel& model, const Recipe& recipe,
                        const Progressed& progressed) {
  eigan::save(path, model, metadata("discriminator", recipe.discriminator_sizes(), recipe, progressed));
}

GeneratorModel load_generator(const std::filesystem::path& path) {
  return reading([&] {
    const auto file = SafetensorsFile::read(path);
    if (const std::string network = text_of(file, "network"); network != "generator") {
      fail(file, "expected a generator, found a ", eigan::printable(network));
    }
    const eigan::HiddenOptions options{.negative_slope = number_of(file, "negative_slope", 1e30),
                                       .dropout = number_of(file, "dropout", dropout_below)};
    GeneratorModel model(eigan::make_generator(sizes_of(file), options), eigan::Rng(0));
    eigan::load(path, model);
    return model;
  });
}

}  // namespace mnist_gan
