#include "trainer.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigan/gan/losses.hpp>
#include <eigan/gan/steps.hpp>
#include <eigan/io/checkpoint.hpp>
#include <eigan/io/model_file.hpp>
#include <eigan/net/estimate_statistics.hpp>
#include <eigan/net/non_finite.hpp>
#include <eigan/optim/schedules.hpp>

#include "generator_file.hpp"

namespace mnist_gan {
namespace {

using eigan::Matrix;
using eigan::Rng;
using eigan::View;

/// Samples from which batch normalisation takes the generator's statistics.
constexpr Index statistics_samples = 4096;

eigan::AdamOptions adam_options(const Recipe& recipe, double lr) {
  return {.lr = lr, .beta1 = recipe.beta1, .beta2 = recipe.beta2, .eps = recipe.eps};
}

StepLosses losses_of(const eigan::DiscriminatorResult<float>& d, const eigan::GeneratorResult<float>& g) {
  const auto wide = [](float value) { return static_cast<double>(value); };
  return {wide(d.loss), wide(g.loss), wide(d.d_real), wide(d.d_fake)};
}

}  // namespace

Trainer::Trainer(const Recipe& recipe, const eigan::LabelledImages& images, std::uint64_t seed, eigan::Threads threads)
    : recipe_(recipe),
      latent_(recipe.latent_space()),
      images_(images),
      seed_(seed),
      rng_(seed),
      threads_(threads),
      generator_(make_generator_model(recipe.generator_sizes(), recipe.batch_norm, recipe.g_negative_slope,
                                      recipe.dropout, rng_.fold_in(stream::generator_init))),
      drawn_{generator_.clone(), drawing(recipe)},
      discriminator_(make_discriminator_model(recipe, rng_.fold_in(stream::discriminator_init))),
      g_adam_(generator_.param_size(), adam_options(recipe, recipe.g_lr)),
      d_adam_(discriminator_.param_size(), adam_options(recipe, recipe.d_lr)),
      average_(std::as_const(generator_).params(), recipe.average),
      batches_(images.count - held_out(recipe.holdout, images.count), recipe.batch, rng_.fold_in(stream::batches)),
      largest_batch_(std::min(recipe.batch, image_count())),
      workspace_(generator_, discriminator_, largest_batch_),
      input_(latent_.input_size(), largest_batch_),
      digits_(static_cast<std::size_t>(largest_batch_)) {
  if (recipe.r1 > 0) penalty_.emplace(discriminator_, largest_batch_);
}

View<float> Trainer::draw_input(Index count, Rng rng) {
  const View<float> input = View<float>(input_).columns(0, count);
  if (latent_.classes > 0) {
    draw_digits(digits_, latent_.classes, rng.fold_in(0));
    write_code(digits_, 1, workspace_.fake_condition(count));
  }
  draw_latent(latent_, digits_, input, rng);
  return input;
}
auto Trainer::state(History& history) {
  return [this, &history](auto visit) {
    visit("step", step_), visit("rate", rate_);
    visit("generator", generator_), visit("generator.adam", g_adam_);
    visit("discriminator", discriminator_), visit("discriminator.adam", d_adam_);
    if (recipe_.average > 0) visit("generator.average", average_);
    visit("history", history);
  };
}

StepLosses Trainer::step() {
  const Index batch = step_ % batches_.size();
  if (batch == 0) batches_.start_epoch(step_ / batches_.size());
  const auto indices = batches_.indices(batch);
  const auto count = static_cast<Index>(indices.size());
  const Rng rng = rng_.fold_in(stream::steps).fold_in(static_cast<std::uint64_t>(step_));
  const eigan::NonSaturatingLoss loss{.real_label = recipe_.real_label};
  const double rate = rate_ * (recipe_.anneal ? eigan::linear_decay(step_, recipe_.epochs * batches_.size()) : 1);
  g_adam_.options().lr = rate * recipe_.g_lr;
  d_adam_.options().lr = rate * recipe_.d_lr;

  const View<float> real = workspace_.real(count);
  eigan::pixels_to_unit(images_, indices, real);
  if (latent_.classes > 0) {
    for (std::size_t j = 0; j < indices.size(); ++j) digits_[j] = images_.labels[indices[j]];
    write_code(digits_, 1, workspace_.real_condition(count));
  }
  if (penalty_ && step_ % recipe_.r1_every == 0) {
    const auto gamma = static_cast<float>(recipe_.r1 * static_cast<double>(recipe_.r1_every));
    penalty_->add_r1(discriminator_, workspace_.real_inputs(count), gamma, workspace_.d_grad, rng.fold_in(4), threads_);
  }
  const auto d = eigan::discriminator_step(generator_, discriminator_, d_adam_, workspace_, real,
                                           draw_input(count, rng.fold_in(0)), rng.fold_in(1), loss, threads_);
  const auto g =
      recipe_.shared_samples
          ? eigan::generator_step(generator_, discriminator_, g_adam_, workspace_, rng.fold_in(3), loss, threads_)
          : eigan::generator_step(generator_, discriminator_, g_adam_, workspace_, draw_input(count, rng.fold_in(2)),
                                  rng.fold_in(3), loss, threads_);
  if (recipe_.average > 0) average_.update(std::as_const(generator_).params(), threads_);
  ++step_;
  return losses_of(d, g);
}

const DigitGenerator& Trainer::generator() {
  if (drawn_at_ != step_) {
    const auto params = recipe_.average > 0 ? average_.params() : std::as_const(generator_).params();
    std::copy(params.begin(), params.end(), drawn_.model.params().begin());
    if (recipe_.batch_norm) {
      std::vector<std::uint8_t> digits(latent_.classes > 0 ? statistics_samples : 0);
      const Rng rng = rng_.fold_in(stream::statistics);
      draw_digits(digits, latent_.classes, rng.fold_in(0));
      Matrix<float> input(latent_.input_size(), statistics_samples);
      draw_latent(latent_, digits, input, rng.fold_in(1));
      eigan::estimate_statistics(drawn_.model, input);
    }
    drawn_at_ = step_;
  }
  return drawn_;
}

std::optional<std::string> Trainer::non_finite() {
  const auto in_generator = eigan::find_non_finite(generator_, threads_);
  const auto in_discriminator = eigan::find_non_finite(discriminator_, threads_);
  if (in_generator && in_discriminator)
    return concat("generator: ", *in_generator, ", discriminator: ", *in_discriminator);
  if (in_generator) return concat("generator: ", *in_generator);
  if (in_discriminator) return concat("discriminator: ", *in_discriminator);
  std::optional<std::string> found;
  const auto look = [&](const char* owner) {
    return [this, &found, owner](std::string_view name, auto& part, auto...) {
      if constexpr (requires { part.begin(); }) {
        if (!eigan::all_finite(std::span(std::as_const(part).data(), static_cast<std::size_t>(part.size())), threads_))
          found = concat(owner, ": ", name, " is not finite");
      }
    };
  };
  g_adam_.visit_state(look("generator's Adam"));
  d_adam_.visit_state(look("discriminator's Adam"));
  if (recipe_.average > 0) average_.visit_state(look("generator's average"));
  return found;
}

void Trainer::save_checkpoint(const std::filesystem::path& path, History& history, const Metadata& metadata,
                              const std::filesystem::path& keep) {
  eigan::save_checkpoint(path, state(history), metadata, keep);
}
void Trainer::load_checkpoint(const eigan::SafetensorsFile& file, History& history) {
  eigan::load_checkpoint(file, state(history));
  std::string fault = step_ < 0 ? "expected steps of 0 and more" : history.fault(step_, batches_.size());
  if (!(rate_ > 0 && rate_ <= 1)) fault = "expected learning rates of above 0 to 1 times the recipe's";
  if (!fault.empty()) throw eigan::Error(concat(file.name(), ": ", fault));
  batches_.start_epoch(step_ / batches_.size());
  drawn_at_ = -1;
}

void Trainer::save_generator(const std::filesystem::path& path) {
  eigan::save(path, generator().model,
              metadata("generator", recipe_, Progressed{seed_, step_ / batches_.size(), step_}));
}
void Trainer::save_discriminator(const std::filesystem::path& path) const {
  eigan::save(path, discriminator_,
              metadata("discriminator", recipe_, Progressed{seed_, step_ / batches_.size(), step_}));
}

}  // namespace mnist_gan
