#include "banner.hpp"

#include <eigan/core/printable.hpp>
#include <eigan/core/simd/isa.hpp>
#include <eigan/version.hpp>

#include "common/build.hpp"
#include "common/text.hpp"

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

std::string banner(const TrainOptions& options, const RunFacts& facts) {
  const Recipe& r = options.recipe;
  return concat("eigan ", eigan::version, ": a GAN on MNIST",                                                        //
                "\n  compiler       ", compiler(), ", ", openmp(),                                                   //
                "\n  execution      ", eigan::to_string(eigan::active_isa()), " kernels, float32, ", facts.threads,  //
                facts.threads == 1 ? " thread" : " threads",                                                         //
                "\n  data           ", eigan::printable(options.data), ": ", grouped(facts.images), " images of 28x28",
                "\n  generator      ", joined(r.generator_sizes(), '-'), ", ", grouped(facts.generator_parameters),
                " parameters, ", hidden_text(r), ", tanh", "\n  discriminator  ", joined(r.discriminator_sizes(), '-'),
                ", ", grouped(facts.discriminator_parameters), " parameters, ", hidden_text(r),  //
                "\n  optimiser      ", adam_text(r), "; real label ", shortest(r.real_label), "\n  recipe         ",
                r.name, ": ", grouped(r.epochs), " epochs of ", grouped(facts.steps_per_epoch), " steps, batch ",
                grouped(r.batch), ", seed ", options.seed,  //
                "\n  out            ", eigan::printable(options.out));
}

}  // namespace mnist_gan
