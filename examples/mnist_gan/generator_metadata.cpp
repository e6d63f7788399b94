#include "generator_metadata.hpp"

#include <string_view>

#include "kit/text.hpp"

namespace mnist_gan {

std::map<std::string, std::string> metadata(const char* network, const Recipe& r, std::uint64_t seed, Index epoch,
                                            Index step) {
  const bool generator = std::string_view(network) == "generator";
  std::map<std::string, std::string> all{
      {"network", network},
      {"normalisation", normalisations[generator && r.batch_norm ? 1 : 0]},
      {"negative_slope", shortest(generator ? r.g_negative_slope : r.d_negative_slope)},
      {"dropout", shortest(r.dropout)},
      {"recipe", r.name},
      {"latent", std::to_string(r.latent)},
      {"latent_distribution", distributions[r.normal_latent ? 1 : 0]},
      {"components", std::to_string(r.components)},
      {"truncation", shortest(r.truncation)},
      {"conditional", yes_or_no[r.conditional ? 1 : 0]},
      {"holdout", std::to_string(r.holdout)},
      {"seed", std::to_string(seed)},
      {"epoch", std::to_string(epoch)},
      {"step", std::to_string(step)}};
  if (r.convolutional())
    all["channels"] = joined(generator ? r.g_channels : r.d_channels, ',');
  else
    all["sizes"] = joined(generator ? r.generator_sizes() : r.discriminator_sizes(), ',');
  return all;
}

}  // namespace mnist_gan
