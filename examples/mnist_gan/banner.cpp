#include "banner.hpp"

#include <eigan/core/printable.hpp>
#include <eigan/kernels/isa.hpp>
#include <eigan/version.hpp>

#include "common/build.hpp"
#include "common/text.hpp"

namespace mnist_gan {
namespace {

std::string hidden_text(const Recipe& recipe, double negative_slope, bool batch_norm) {
  const std::string other = batch_norm ? "batch normalisation" : concat("dropout ", shortest(recipe.dropout));
  return concat("leaky ReLU ", shortest(negative_slope), ", ", other);
}

/// What training does besides, each where it does it.
std::string regularisation_text(const Recipe& recipe) {
  std::string text = concat("real label ", shortest(recipe.real_label));
  if (recipe.r1 > 0)
    text += concat(", R1 penalty ", shortest(recipe.r1), " every ", recipe.r1_every,
                   recipe.r1_every == 1 ? " step" : " steps");
  if (recipe.average > 0) text += concat(", average of the generator ", shortest(recipe.average));
  return text;
}

std::string adam_text(const Recipe& recipe) {
  const std::string g_lr = shortest(recipe.g_lr), d_lr = shortest(recipe.d_lr);
  return concat("Adam, lr ", g_lr == d_lr ? g_lr : concat("G ", g_lr, " D ", d_lr), ", betas ", shortest(recipe.beta1),
                '/', shortest(recipe.beta2), ", eps ", shortest(recipe.eps), recipe.anneal ? ", annealed" : "");
}

/// What the generator makes digits of.
std::string input_text(const Recipe& recipe) {
  std::string text = concat(recipe.latent, recipe.normal_latent ? " normal numbers" : " uniform numbers");
  if (recipe.components > 0) text += concat(", one of ", recipe.components, " components");
  if (recipe.conditional) text += ", the digit";
  return text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> described(const TrainOptions& options, const RunFacts& facts) {
  const Recipe& r = options.recipe;
  const auto network = [&](const Sizes& sizes, Index parameters, double slope, bool batch_norm) {
    return concat(joined(sizes, '-'), ", ", grouped(parameters), " parameters, ", hidden_text(r, slope, batch_norm));
  };
  return {
      {"compiler", concat(compiler(), ", ", openmp())},
      {"execution", concat(eigan::to_string(eigan::active_isa()), " kernels, float32, ", facts.threads,
                           facts.threads == 1 ? " thread" : " threads")},
      {"data", concat(eigan::printable(options.data), ": ", grouped(facts.images), " images of 28x28",
                      facts.held_out > 0 ? concat(", ", grouped(facts.held_out), " more held out") : "")},
      {"input", input_text(r)},
      {"generator",
       concat(network(r.generator_sizes(), facts.generator_parameters, r.g_negative_slope, r.batch_norm), ", tanh")},
      {"discriminator", network(r.discriminator_sizes(), facts.discriminator_parameters, r.d_negative_slope, false)},
      {"optimiser", adam_text(r)},
      {"regularisation", regularisation_text(r)},
      {"recipe", concat(r.name, ": ", grouped(r.epochs), " epochs of ", grouped(facts.steps_per_epoch),
                        " steps, batch ", grouped(r.batch), ", seed ", options.seed)},
      {"out", eigan::printable(options.out)},
  };
}

std::string banner(const TrainOptions& options, const RunFacts& facts) {
  std::string text = concat("eigan ", eigan::version, ": a GAN on MNIST");
  for (const auto& [name, value] : described(options, facts)) {
    text += concat("\n  ", name, std::string(15 - name.size(), ' '), value);
  }
  return text;
}

}  // namespace mnist_gan
