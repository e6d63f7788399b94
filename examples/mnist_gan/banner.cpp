#include "banner.hpp"

#include <eigan/core/printable.hpp>
#include <eigan/core/simd/isa.hpp>
#include <eigan/version.hpp>

#include "text.hpp"

namespace mnist_gan {
namespace {

std::string hidden_text(const Recipe& recipe) {
  return concat("leaky ReLU ", shortest(recipe.negative_slope), ", dropout ", shortest(recipe.dropout));
}

std::string adam_text(const Recipe& recipe) {
  const std::string g_lr = shortest(recipe.g_lr), d_lr = shortest(recipe.d_lr);
  return concat("Adam, lr ", g_lr == d_lr ? g_lr : concat("G ", g_lr, " D ", d_lr), ", betas ", shortest(recipe.beta1),
                '/', shortest(recipe.beta2), ", eps ", shortest(recipe.eps));
}

}  // namespace

std::string compiler() {
#if defined(__clang__)
  return concat("clang++ ", __clang_major__, '.', __clang_minor__, '.', __clang_patchlevel__);
#elif defined(__GNUC__)
  return concat("g++ ", __GNUC__, '.', __GNUC_MINOR__, '.', __GNUC_PATCHLEVEL__);
#else
  return "an unknown compiler";
#endif
}

std::vector<std::pair<std::string, std::string>> described(const TrainOptions& options, const RunFacts& facts) {
  const Recipe& r = options.recipe;
#if defined(_OPENMP)
  const char* const openmp = "OpenMP";
#else
  const char* const openmp = "no OpenMP";
#endif
  const auto network = [&](const Sizes& sizes, Index parameters) {
    return concat(joined(sizes, '-'), ", ", grouped(parameters), " parameters, ", hidden_text(r));
  };
  return {
      {"compiler", concat(compiler(), ", ", openmp)},
      {"execution", concat(eigan::to_string(eigan::active_isa()), " kernels, float32, ", facts.threads,
                           facts.threads == 1 ? " thread" : " threads")},
      {"data", concat(eigan::printable(options.data), ": ", grouped(facts.images), " images of 28x28")},
      {"generator", concat(network(r.generator_sizes(), facts.generator_parameters), ", tanh")},
      {"discriminator", network(r.discriminator_sizes(), facts.discriminator_parameters)},
      {"optimiser", concat(adam_text(r), "; real label ", shortest(r.real_label))},
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

std::string build_warning() {
#if !defined(__OPTIMIZE__)
  return "warning: compiled without optimisation, training will be slow; use the preset 'release'";
#elif !defined(NDEBUG)
  return "warning: compiled with assertions, training will be slow; use the preset 'release'";
#else
  return "";
#endif
}

}  // namespace mnist_gan
