#include "train.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <eigan/data/batches.hpp>
#include <eigan/data/labelled_images.hpp>
#include <eigan/io/model_file.hpp>
#include <eigan/kernels/isa.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/losses/cross_entropy.hpp>
#include <eigan/net/estimate_statistics.hpp>
#include <eigan/optim/adam.hpp>
#include <eigan/optim/ema.hpp>
#include <eigan/optim/optimizer.hpp>
#include <eigan/optim/schedules.hpp>
#include <eigan/version.hpp>

#include "kit/build.hpp"
#include "kit/clock.hpp"
#include "kit/exit_code.hpp"
#include "kit/interrupt.hpp"
#include "kit/message.hpp"
#include "kit/text.hpp"

#include "digit_data.hpp"
#include "digit_images.hpp"
#include "milestones.hpp"
#include "part_of.hpp"
#include "random_warp.hpp"
#include "recogniser_net.hpp"

namespace mnist_recogniser {

using namespace kit;

namespace {

using eigan::Matrix;
using eigan::Rng;
using eigan::View;

/// The independent random streams that a seed is split into. Saved models depend on these numbers.
namespace stream {
constexpr std::uint64_t init = 0, batches = 1, steps = 2, statistics = 3;
}

/// Whether it is looked at what the network knows after this step: after every quarter of the first three epochs, after
/// every epoch and after the last step. What is seen is reported and changes nothing.
bool is_look_due(Index step, Index steps, Index steps_per_epoch) {
  if (step + 1 == steps) return true;
  const Index looks = step < 3 * steps_per_epoch ? 4 : 1;  // an epoch
  return (step + 1) * looks / steps_per_epoch > step * looks / steps_per_epoch;
}

/// A minute later is a bad time to find out.
void check_writable(const std::string& out) {
  std::error_code ignored;
  const auto folder = std::filesystem::absolute(out, ignored).parent_path();
  if (std::filesystem::is_directory(out, ignored)) {
    throw eigan::Error(concat(eigan::printable(out, 4096), ": a folder, expected the name of a file"));
  }
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw eigan::Error(concat(eigan::printable(out, 4096), ": its folder is not there"));
  }
}

std::string banner(const TrainOptions& options, const TrainedRecogniser& model, Index images, Index steps,
                   int threads) {
  const Recipe& r = options.recipe;
  const WarpOptions w = r.warps();
  const std::string warps = r.warp == 0
                                ? ""
                                : concat(", each time turned by up to ", shortest(w.degrees), " degrees, stretched by ",
                                         shortest(w.scale), ", sheared by ", shortest(w.shear), ", shifted by ",
                                         shortest(w.shift), " pixels, bent by ", shortest(w.bend));
  const std::string mirrored = r.mirror == 0 ? "" : concat(", mirrored with probability ", shortest(r.mirror));
  return concat("eigan ", eigan::version, ": a recogniser of digits",  //
                "\n  compiler    ", compiler(), ", ", engine(),        //
                "\n  execution   ", eigan::to_string(eigan::active_isa()), " kernels, float32, ", threads,
                threads == 1 ? " thread" : " threads",  //
                "\n  network     ", model.architecture(), "; ", grouped(model.param_size()), " parameters",
                r.dropout == 0 ? "" : concat(", dropout ", shortest(r.dropout)), "\n  data        ",
                eigan::printable(options.data.folder), ": ", grouped(images), " images", warps, mirrored,
                r.warp == 0 && r.mirror == 0 ? ", as they are" : "", "\n  optimiser   Adam, lr up to ", shortest(r.lr),
                "; moving average of the weights, decay ",
                shortest(r.average),  //
                "\n  length      recipe ", r.name, ": ", grouped(steps), " steps, ", shortest(r.epochs),
                " epochs of batches of ", grouped(r.batch), ", seed ", options.seed);
}

/// What is trained on, and what is looked at.
struct Data {
  eigan::LabelledImages images;
  DigitImages seen;
  const char* seen_name;  ///< "test", "held out"
};

Data load_data(const TrainOptions& options) {
  auto images = load_digits(options.data, eigan::Split::train, yardstick);
  if (options.held_out == 0)
    return {std::move(images), DigitImages(load_digits(options.data, eigan::Split::test, yardstick)), "test"};
  if (options.held_out >= images.count)
    throw BadInput(concat(eigan::printable(options.data.folder), ": ", images.count, " images, of which --held-out ",
                          options.held_out, " leaves none to train on"));
  const Index rest = images.count - options.held_out;
  DigitImages held_out(part_of(images, rest, options.held_out));
  return {part_of(images, 0, rest), std::move(held_out), "held out"};
}

void write_images(const eigan::LabelledImages& images, std::span<const std::uint32_t> indices, const Recipe& recipe,
                  Rng rng, View<float> out, eigan::Threads threads) {
  if (recipe.warp == 0 && recipe.mirror == 0) return eigan::pixels_to_unit<float>(images, indices, out, threads);
  random_warp<float>(images, indices, recipe.warps(), rng, out, threads);
}

/// Images as the training sees them, for the statistics of batch normalisation.
Matrix<float> images_for_statistics(const eigan::LabelledImages& images, const Recipe& recipe, Rng rng,
                                    eigan::Threads threads) {
  constexpr Index most = 5000;
  std::vector<std::uint32_t> first(static_cast<std::size_t>(std::min(most, images.count)));
  std::iota(first.begin(), first.end(), 0u);
  Matrix<float> pixels(image_size, std::ssize(first));
  write_images(images, first, recipe, rng, pixels, threads);
  return pixels;
}

}  // namespace

int train(const TrainOptions& options) {
  const Recipe& recipe = options.recipe;
  check_writable(options.out);
  const Data data = reading([&] { return load_data(options); });
  const eigan::LabelledImages& images = data.images;

  const eigan::Threads threads{options.threads};
  const Rng rng(options.seed);
  TrainedRecogniser averaged(rng.fold_in(stream::init));
  eigan::Model model(convolutional(Readout(), eigan::Dropout(recipe.dropout)), Rng(0));
  std::copy(averaged.params().begin(), averaged.params().end(), model.params().begin());  // dropout has none
  const Index batch = std::min(recipe.batch, images.count);
  auto tape = model.tape(batch);
  auto gradient = model.zeros();
  eigan::Adam<float> adam(gradient.size(), {.beta2 = recipe.beta2});
  eigan::Ema<float> average(model.params(), recipe.average);
  eigan::Batches batches(images.count, batch, rng.fold_in(stream::batches));
  Matrix<float> memory(image_size, batch);
  std::vector<int> label_memory(static_cast<std::size_t>(batch));
  const Index steps = std::max<Index>(std::lround(recipe.epochs * static_cast<double>(batches.size())), 1);
  const Index warm_up = std::clamp<Index>(std::lround(recipe.warm_up * static_cast<double>(steps)), 1, steps);

  Interrupt::listen();
  if (!build_warning().empty()) say(build_warning());
  if (!options.quiet) say(banner(options, averaged, images.count, steps, eigan::thread_count(threads)));

  const auto start = Clock::now();
  Stopwatch trained;  // stands during looks
  Milestones milestones;
  const Matrix<float> for_statistics = images_for_statistics(images, recipe, rng.fold_in(stream::statistics), threads);
  const auto take_average = [&] {
    std::copy(average.params().begin(), average.params().end(), averaged.params().begin());
    eigan::estimate_statistics(averaged, for_statistics, threads);
  };
  double known = 0, loss_sum = 0, seconds = 0;  // what it takes from nothing to a model that could be kept
  Index step = 0, losses = 0;
  for (; step < steps && !Interrupt::received(); ++step) {
    const Index epoch = step / batches.size(), of_epoch = step % batches.size();
    if (of_epoch == 0) batches.start_epoch(epoch);
    const Rng step_rng = rng.fold_in(stream::steps).fold_in(static_cast<std::uint64_t>(step));
    const auto indices = batches.indices(of_epoch);
    const View<float> pixels = View<float>(memory).columns(0, std::ssize(indices));
    const auto labels = std::span(label_memory).first(indices.size());
    write_images(images, indices, recipe, step_rng, pixels, threads);
    eigan::gather_labels(images, indices, labels);

    adam.options().lr = recipe.lr * eigan::warmup_cosine(step, steps, warm_up);
    const auto logits = model.forward(tape, pixels, step_rng.fold_in(0), threads);
    const float loss = eigan::cross_entropy<float>(logits, labels, tape.output_gradient());
    if (!std::isfinite(loss)) {
      throw Diverged(concat("diverged at step ", step + 1, " (epoch ", epoch + 1, "): the loss is ", loss,
                            "; a smaller --lr may help"));
    }
    eigan::backward_and_step(model, tape, adam, gradient, threads);
    average.update(model.params(), threads);
    loss_sum += static_cast<double>(loss), ++losses;

    if (!is_look_due(step, steps, batches.size())) continue;
    trained.stop();
    const auto looked = Clock::now();
    take_average();
    seconds = trained.seconds() + seconds_since(looked);
    known = accuracy(averaged.infer(data.seen.pixels, threads), data.seen);
    const std::string reached = milestones.reach(known, seconds);
    if (!options.quiet) {
      say("epoch ", fixed(static_cast<double>(step + 1) / static_cast<double>(batches.size()), 2), "  loss ",
          fixed(loss_sum / static_cast<double>(losses), 4), "  ", data.seen_name, " ", percent(known), "  ",
          fixed(seconds, 2), " s", reached);
    }
    loss_sum = 0, losses = 0;
    trained.resume();
  }
  take_average();
  eigan::save(options.out, averaged,
              {{"seed", std::to_string(options.seed)},
               {"recipe", std::string(recipe.name)},
               {"epochs", shortest(recipe.epochs)},
               {"steps", std::to_string(step)}});
  if (step < steps) {
    say("mnist_recogniser: stopped after ", step, " of ", steps, " steps; ", eigan::printable(options.out, 4096),
        " holds what they gave");
    return by_signal + Interrupt::received();
  }
  if (!options.quiet) {
    say("trained in ", duration(seconds), ", ", duration(seconds_since(start)), " with the looks at images: it knows ",
        percent(known), " of those ", data.seen_name, "; ", milestones.text(), "\n",
        eigan::printable(options.out, 4096), " holds the model");
  }
  return success;
}

}  // namespace mnist_recogniser
