#include "train.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <eigan/core/parallel.hpp>
#include <eigan/data/batches.hpp>
#include <eigan/data/mnist.hpp>
#include <eigan/gan/losses.hpp>
#include <eigan/gan/steps.hpp>
#include <eigan/gan/workspace.hpp>
#include <eigan/io/image_sheet.hpp>
#include <eigan/optim/adam.hpp>

#include "banner.hpp"
#include "exit_code.hpp"
#include "generator_file.hpp"
#include "interrupt.hpp"
#include "losses.hpp"
#include "message.hpp"
#include "progress.hpp"
#include "record.hpp"
#include "run_folder.hpp"
#include "run_report.hpp"
#include "streams.hpp"
#include "terminal.hpp"
#include "text.hpp"

namespace mnist_gan {
namespace {

using eigan::Matrix;
using eigan::Rng;
using eigan::View;

constexpr Index sheet_images = 100;

eigan::AdamOptions adam_options(const Recipe& recipe, double lr) {
  return {.lr = lr, .beta1 = recipe.beta1, .beta2 = recipe.beta2, .eps = recipe.eps};
}

StepLosses losses_of(const eigan::DiscriminatorResult<float>& d, const eigan::GeneratorResult<float>& g) {
  const auto wide = [](float value) { return static_cast<double>(value); };
  return {wide(d.loss), wide(g.loss), wide(d.d_real), wide(d.d_fake)};
}

bool is_finite(const StepLosses& losses) {
  return std::isfinite(losses.d_loss) && std::isfinite(losses.g_loss);
}

Progress::Detail progress_detail(const TrainOptions& options, const Terminal& terminal) {
  if (options.quiet) return Progress::Detail::none;
  return terminal.live && !options.no_progress ? Progress::Detail::live : Progress::Detail::epochs;
}

}  // namespace

int train(const TrainOptions& options) {
  const Recipe& recipe = options.recipe;
  const RunFolder folder(options.out);
  if (const std::string there = folder.occupant(); !there.empty() && !options.force) {
    throw eigan::Error(concat(folder.name(), ": holds ", there == "result.json" ? "a finished run" : there,
                              " already; --force replaces it, --out names another folder"));
  }
  const auto images = reading([&] { return eigan::load_mnist(options.data, eigan::Split::train); });

  const eigan::Threads threads{options.threads};
  const Rng rng(options.seed);
  const eigan::HiddenOptions hidden{.negative_slope = recipe.negative_slope, .dropout = recipe.dropout};
  GeneratorModel generator(eigan::make_generator(recipe.generator_sizes(), hidden),
                           rng.fold_in(stream::generator_init));
  DiscriminatorModel discriminator(eigan::make_discriminator(recipe.discriminator_sizes(), hidden),
                                   rng.fold_in(stream::discriminator_init));
  eigan::Adam<float> g_adam(generator.net().param_size(), adam_options(recipe, recipe.g_lr));
  eigan::Adam<float> d_adam(discriminator.net().param_size(), adam_options(recipe, recipe.d_lr));
  const eigan::NonSaturatingLoss loss{.real_label = recipe.real_label};

  eigan::Batches batches(images.count, recipe.batch, rng.fold_in(stream::batches));
  const Index largest_batch = std::min(recipe.batch, images.count);
  eigan::GanWorkspace workspace(generator, discriminator, largest_batch);
  Matrix<float> z_memory(recipe.latent, largest_batch);
  const Matrix<float> sheet_z = sample_z(recipe.latent, sheet_images, options.seed);

  Interrupt::listen();
  folder.create();
  eigan::write_file(folder.file("config.json"), config_text(options, eigan::thread_count(threads)));
  if (!build_warning().empty()) say(build_warning());
  const RunFacts facts{images.count, batches.size(), generator.net().param_size(), discriminator.net().param_size(),
                       eigan::thread_count(threads)};
  if (!options.quiet) say(banner(options, facts));

  const auto terminal = Terminal::detect();
  Progress progress({recipe.epochs, batches.size(), images.count}, progress_detail(options, terminal), terminal.colour);
  LossLog log(options.log_every, batches.size());
  const auto start = Clock::now();
  Progressed at{options.seed, 0, 0};
  StepLosses last_epoch;

  for (Index epoch = 1; epoch <= recipe.epochs && !Interrupt::received(); ++epoch) {
    batches.start_epoch(epoch - 1);
    progress.start_epoch(epoch);
    MeanLosses means;
    for (Index batch = 0; batch < batches.size() && !Interrupt::received(); ++batch, ++at.step) {
      const Rng step_rng = rng.fold_in(stream::steps).fold_in(static_cast<std::uint64_t>(at.step));
      const auto indices = batches.indices(batch);
      const auto count = static_cast<Index>(indices.size());
      const View<float> real = workspace.real(count);
      const View<float> z = View<float>(z_memory).columns(0, count);

      eigan::pixels_to_unit(images, indices, real);
      draw_z(z, step_rng.fold_in(0));
      const auto d = eigan::discriminator_step(generator, discriminator, d_adam, workspace, real, z,
                                               step_rng.fold_in(1), loss, threads);
      draw_z(z, step_rng.fold_in(2));
      const auto g =
          eigan::generator_step(generator, discriminator, g_adam, workspace, z, step_rng.fold_in(3), loss, threads);

      const StepLosses losses = losses_of(d, g);
      if (!is_finite(losses)) {
        log.write_csv(folder.file("losses.csv"));
        throw Diverged(concat("diverged at step ", at.step + 1, " (epoch ", epoch, "): discriminator loss ",
                              six_digits(losses.d_loss), ", generator loss ", six_digits(losses.g_loss),
                              "; a smaller --lr may help"));
      }
      means.add(losses);
      log.add(losses);
      progress.step(means);
    }
    if (means.count() < batches.size()) break;

    at.epoch = epoch;
    last_epoch = means.mean();
    progress.end_epoch(means);
    log.write_csv(folder.file("losses.csv"));
    if (options.samples_every > 0 && epoch % options.samples_every == 0) {
      eigan::write_image_sheet<float>(folder.sheet(epoch), generator.infer(sheet_z, threads));
    }
  }
  progress.clear();

  log.close();
  log.write_csv(folder.file("losses.csv"));
  log.write_chart(folder.file("losses.svg"));
  eigan::write_image_sheet<float>(folder.file("samples.png"), generator.infer(sheet_z, threads));
  save_generator(folder.file("generator.safetensors"), generator, recipe, at);
  save_discriminator(folder.file("discriminator.safetensors"), discriminator, recipe, at);
  const double seconds = seconds_since(start);
  write_report(folder.file("report.html"),
               run_report(folder, options, facts, log, {at.epoch, at.step, seconds, last_epoch}));

  if (at.epoch < recipe.epochs) {
    say("mnist_gan: stopped after ", at.step, " steps, ", at.epoch, " whole epochs; ", folder.name(),
        " holds what they gave");
    return by_signal + Interrupt::received();
  }
  eigan::write_file(folder.file("result.json"), result_text(at.epoch, at.step, seconds, last_epoch));
  if (!options.quiet) {
    say("trained in ", duration(seconds), "; ", folder.name(), " holds",
        "\n  report.html             all of it on one page", "\n  samples.png, samples/   sheets of digits",
        "\n  losses.svg, losses.csv\n  generator.safetensors, discriminator.safetensors",
        "\nmore digits: mnist_gan sample --model ", folder.name(), "/generator.safetensors --out digits.png");
  }
  return success;
}

}  // namespace mnist_gan
