#include "describe.hpp"

#include <eigan/core/parallel.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/kernels/isa.hpp>
#include <eigan/version.hpp>

#include "kit/build.hpp"
#include "kit/json_object.hpp"
#include "kit/text.hpp"

namespace mnist_gan {
namespace {

/// What decides the result of a run bit for bit, beside the images. Runs go on by these words: add to them for what is
/// new, and leave the others as they are.
JsonObject decisions(const TrainOptions& options) {
  const Recipe& r = options.recipe;
  JsonObject object;
  object.add("recipe", r.name)
      .add("epochs", r.epochs)
      .add("batch", r.batch)
      .add("seed", options.seed)
      .add("holdout", r.holdout)
      .add("latent", r.latent)
      .add("latent_distribution", r.normal_latent ? "normal" : "uniform")
      .add("components", r.components)
      .add("truncation", r.truncation)
      .add("conditional", r.conditional)
      .add("g_hidden", r.g_hidden)
      .add("d_hidden", r.d_hidden);
  if (r.convolutional())
    object.add("g_channels", r.g_channels).add("d_channels", r.d_channels).add("g_skip", r.latent_skip);
  if (r.conditional) object.add("mismatch", r.mismatch);
  return object.add("g_norm", r.batch_norm ? "batch" : "none")
      .add("g_negative_slope", r.g_negative_slope)
      .add("d_negative_slope", r.d_negative_slope)
      .add("dropout", r.dropout)
      .add("g_lr", r.g_lr)
      .add("d_lr", r.d_lr)
      .add("schedule", schedules[static_cast<std::size_t>(r.schedule)])
      .add("beta1", r.beta1)
      .add("beta2", r.beta2)
      .add("eps", r.eps)
      .add("real_label", r.real_label)
      .add("r1", r.r1)
      .add("r1_every", r.r1_every)
      .add("g_samples", r.shared_samples ? "shared" : "own")
      .add("average", r.average)
      .add("log_every", options.run.log_every)
      .add("evaluate_every", options.evaluate_every);
}

/// The sizes of dense layers, the shapes of images.
std::string generator_layers(const Recipe& r) {
  if (!r.convolutional()) return joined(r.generator_sizes(), '-');
  std::string text = concat(r.latent_space().input_size(), '-');
  for (std::size_t i = 0; i < r.g_hidden.size(); ++i) text += concat(i > 0 ? "-" : "", r.g_hidden[i]);
  if (r.latent_skip) text += concat('+', r.latent_space().input_size());
  return text + concat('-', r.g_channels[1], "x7x7-", r.g_channels[0], "x14x14-1x28x28");
}
std::string discriminator_layers(const Recipe& r) {
  if (!r.convolutional()) return joined(r.discriminator_sizes(), '-');
  std::string text = concat("1x28x28-", r.d_channels[0], "x14x14");
  for (std::size_t i = 1; i < r.d_channels.size(); ++i) text += concat('-', r.d_channels[i], "x7x7");
  if (r.conditional) text += concat('+', digit_count);
  for (const Index hidden : r.d_hidden) text += concat('-', hidden);
  return text + "-1";
}

/// normalised: in place of dropout.
std::string network_text(const std::string& layers, Index parameters, double slope, bool normalised, const Recipe& r) {
  std::string text = concat(layers, ", ", grouped(parameters), " parameters, leaky ReLU ", shortest(slope));
  if (normalised) return text + ", batch normalisation";
  return r.convolutional() ? text : concat(text, ", dropout ", shortest(r.dropout));
}

/// What training does besides, each where it does it.
std::string regularisation_text(const Recipe& recipe) {
  std::string text = concat("real label ", shortest(recipe.real_label));
  if (recipe.r1 > 0)
    text += concat(", R1 penalty ", shortest(recipe.r1), " every ", recipe.r1_every,
                   recipe.r1_every == 1 ? " step" : " steps");
  if (recipe.mismatch > 0)
    text += concat(", wrong digits ", shortest(recipe.mismatch), " every ", mismatch_every, " steps");
  if (recipe.average > 0) text += concat(", average of the generator ", shortest(recipe.average));
  return text;
}

std::string adam_text(const Recipe& recipe) {
  const std::string g_lr = shortest(recipe.g_lr), d_lr = shortest(recipe.d_lr);
  return concat("Adam, lr ", g_lr == d_lr ? g_lr : concat("G ", g_lr, " D ", d_lr), ", betas ", shortest(recipe.beta1),
                '/', shortest(recipe.beta2), ", eps ", shortest(recipe.eps),
                recipe.schedule == Schedule::linear ? ", annealed"
                : recipe.schedule == Schedule::late ? ", annealed over the second half"
                                                    : "");
}

/// What the generator makes digits of.
std::string input_text(const Recipe& recipe) {
  std::string text = concat(recipe.latent, recipe.normal_latent ? " normal numbers" : " uniform numbers");
  if (recipe.components > 0) text += concat(", one of ", recipe.components, " components");
  if (recipe.conditional) text += ", the digit";
  return text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> described(const TrainOptions& options, const Gan& gan,
                                                           Index held_out) {
  const Recipe& r = options.recipe;
  const int threads = eigan::thread_count({options.run.threads});
  return {
      {"compiler", concat(kit::compiler(), ", ", kit::engine())},
      {"execution", concat(eigan::to_string(eigan::active_isa()), " kernels, float32, ", threads,
                           threads == 1 ? " thread" : " threads")},
      {"data", concat(eigan::printable(options.data), ": ", grouped(gan.image_count()), " images of 28x28",
                      held_out > 0 ? concat(", ", grouped(held_out), " more held out") : "")},
      {"input", input_text(r)},
      {"generator",
       network_text(generator_layers(r), gan.generator_size(), r.g_negative_slope, r.batch_norm, r) + ", tanh"},
      {"discriminator",
       network_text(discriminator_layers(r), gan.discriminator().param_size(), r.d_negative_slope, false, r)},
      {"optimiser", adam_text(r)},
      {"regularisation", regularisation_text(r)},
      {"recipe", concat(r.name, ": ", grouped(r.epochs), " epochs of ", grouped(gan.steps_per_epoch()),
                        " steps, batch ", grouped(r.batch), ", seed ", options.seed)},
      {"out", eigan::printable(options.run.out)},
  };
}

kit::Settings settings(const TrainOptions& options, const Gan& gan, Index held_out) {
  kit::Settings all{.decisions = decisions(options), .banner = concat("eigan ", eigan::version, ": a GAN on MNIST")};
  all.others.add("data", options.data)
      .add("samples_every", options.run.samples_every)
      .add("threads", eigan::thread_count({options.run.threads}))
      .add("eigan_version", eigan::version)
      .add("kernels", eigan::to_string(eigan::active_isa()))
      .add("compiler", kit::compiler());
  for (const auto& [name, value] : described(options, gan, held_out))
    all.banner += concat("\n  ", name, std::string(15 - name.size(), ' '), value);
  return all;
}

}  // namespace mnist_gan
