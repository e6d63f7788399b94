#include "record.hpp"

#include <cmath>

#include <eigan/kernels/isa.hpp>
#include <eigan/version.hpp>

#include "common/build.hpp"

namespace mnist_gan {

JsonObject decisions(const TrainOptions& options) {
  const Recipe& r = options.recipe;
  return JsonObject()
      .add("recipe", r.name)
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
      .add("d_hidden", r.d_hidden)
      .add("g_norm", r.batch_norm ? "batch" : "none")
      .add("g_negative_slope", r.g_negative_slope)
      .add("d_negative_slope", r.d_negative_slope)
      .add("dropout", r.dropout)
      .add("g_lr", r.g_lr)
      .add("d_lr", r.d_lr)
      .add("schedule", r.anneal ? "linear" : "constant")
      .add("beta1", r.beta1)
      .add("beta2", r.beta2)
      .add("eps", r.eps)
      .add("real_label", r.real_label)
      .add("r1", r.r1)
      .add("r1_every", r.r1_every)
      .add("g_samples", r.shared_samples ? "shared" : "own")
      .add("average", r.average)
      .add("log_every", options.log_every)
      .add("evaluate_every", options.evaluate_every);
}

std::string config_text(const TrainOptions& options, int threads) {
  return decisions(options)
      .add("data", options.data)
      .add("samples_every", options.samples_every)
      .add("threads", threads)
      .add("eigan_version", eigan::version)
      .add("kernels", eigan::to_string(eigan::active_isa()))
      .add("compiler", compiler())
      .text();
}

std::string result_text(Index epochs, Index steps, const History& history, double variety) {
  const StepLosses& last_epoch = history.last_epoch;
  return JsonObject()
      .add("epochs", epochs)
      .add("steps", steps)
      .add("seconds", std::round(1000 * history.seconds) / 1000)
      .add("last_epoch_d_loss", last_epoch.d_loss)
      .add("last_epoch_g_loss", last_epoch.g_loss)
      .add("last_epoch_d_real", last_epoch.d_real)
      .add("last_epoch_d_fake", last_epoch.d_fake)
      .add("variety", variety)
      .text();
}

}  // namespace mnist_gan
