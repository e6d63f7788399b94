#include "train.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <eigan/data/batches.hpp>
#include <eigan/data/random_warp.hpp>
#include <eigan/io/model_file.hpp>
#include <eigan/kernels/isa.hpp>
#include <eigan/losses/cross_entropy.hpp>
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

#include "recogniser.hpp"
#include "test_images.hpp"

namespace mnist_recogniser {

using namespace example;

namespace {

using eigan::Matrix;
using eigan::Rng;
using eigan::View;

/// The independent random streams that a seed is split into. Saved models depend on these numbers.
namespace stream {
constexpr std::uint64_t init = 0, batches = 1, steps = 2;
}

/// Test accuracies, and how long it took to reach them.
class Milestones {
 public:
  /// What of them is reached now, after so many seconds of training.
  std::string reach(double accuracy, double seconds) {
    std::string text;
    for (Milestone& m : all_) {
      if (m.seconds || accuracy < m.accuracy) continue;
      m.seconds = seconds;
      text += concat("  ", percent(m.accuracy, 1), " reached");
    }
    return text;
  }
  std::string text() const {
    std::string text;
    for (const Milestone& m : all_) {
      text += concat(text.empty() ? "" : ", ", percent(m.accuracy, 1), ' ',
                     m.seconds ? concat("after ", fixed(*m.seconds, 2), " s") : "not reached");
    }
    return text;
  }

 private:
  struct Milestone {
    double accuracy;
    std::optional<double> seconds;
  };
  std::vector<Milestone> all_{{0.975, {}}, {0.986, {}}};
};

/// Whether the test images are looked at after this step: after every quarter of the first three epochs, then after
/// every epoch. What is seen is reported and changes nothing.
bool is_look_due(Index step, Index steps_per_epoch) {
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

std::string banner(const TrainOptions& options, const RecogniserModel& model, Index images, Index steps, int threads) {
  const Recipe& r = options.recipe;
  const eigan::WarpOptions& w = r.warp;
  return concat("eigan ", eigan::version, ": a recogniser of MNIST's digits",  //
                "\n  compiler    ", compiler(), ", ", openmp(),                //
                "\n  execution   ", eigan::to_string(eigan::active_isa()), " kernels, float32, ", threads,
                threads == 1 ? " thread" : " threads",  //
                "\n  network     ", model.architecture(), "; ", grouped(model.param_size()), " parameters",
                "\n  data        ", eigan::printable(options.data), ": ", grouped(images),
                " images, each time turned by up to ", shortest(w.degrees), " degrees, stretched by ",
                shortest(w.scale), ", sheared by ", shortest(w.shear), ", shifted by ", shortest(w.shift),
                " pixels, bent by ", shortest(w.bend),  //
                "\n  optimiser   Adam, lr up to ", shortest(r.lr), "; moving average of the weights, decay ",
                shortest(r.average),  //
                "\n  length      ", grouped(r.epochs), " epochs of ", grouped(steps), " steps, batch ",
                grouped(r.batch), ", seed ", options.seed);
}

}  // namespace

int train(const TrainOptions& options) {
  const Recipe& recipe = options.recipe;
  check_writable(options.out);
  const auto images = reading([&] { return eigan::load_mnist(options.data, eigan::Split::train); });
  const auto test = reading([&] { return TestImages(options.data); });

  const eigan::Threads threads{options.threads};
  const Rng rng(options.seed);
  RecogniserModel model(rng.fold_in(stream::init));
  RecogniserModel averaged(Rng(0));
  const Index batch = std::min(recipe.batch, images.count);
  auto tape = model.tape(batch);
  auto gradient = model.zeros();
  eigan::Adam<float> adam(gradient.size());
  eigan::Ema<float> average(model.params(), recipe.average);
  eigan::Batches batches(images.count, batch, rng.fold_in(stream::batches));
  Matrix<float> memory(image_size, batch);
  std::vector<int> label_memory(static_cast<std::size_t>(batch));
  const Index steps = recipe.epochs * batches.size();
  const Index warm_up = std::min(recipe.warm_up, steps);

  Interrupt::listen();
  if (!build_warning().empty()) say(build_warning());
  if (!options.quiet) say(banner(options, model, images.count, batches.size(), eigan::thread_count(threads)));

  const auto start = Clock::now();
  Stopwatch trained;  // stands while the test images are looked at
  Milestones milestones;
  double known = 0, loss_sum = 0;
  Index step = 0, losses = 0;
  for (; step < steps && !Interrupt::received(); ++step) {
    const Index epoch = step / batches.size(), of_epoch = step % batches.size();
    if (of_epoch == 0) batches.start_epoch(epoch);
    const Rng step_rng = rng.fold_in(stream::steps).fold_in(static_cast<std::uint64_t>(step));
    const auto indices = batches.indices(of_epoch);
    const View<float> pixels = View<float>(memory).columns(0, std::ssize(indices));
    const auto labels = std::span(label_memory).first(indices.size());
    eigan::random_warp(images, indices, recipe.warp, step_rng, pixels, threads);
    eigan::gather_labels(images, indices, labels);

    adam.options().lr = recipe.lr * eigan::warmup_cosine(step, steps, warm_up);
    const auto logits = model.forward(tape, pixels, threads);
    const float loss = eigan::cross_entropy<float>(logits, labels, tape.output_gradient());
    if (!std::isfinite(loss)) {
      throw Diverged(concat("diverged at step ", step + 1, " (epoch ", epoch + 1, "): the loss is ", loss,
                            "; a smaller --lr may help"));
    }
    eigan::backward_and_step(model, tape, adam, gradient, threads);
    average.update(model.params(), threads);
    loss_sum += static_cast<double>(loss), ++losses;

    if (!is_look_due(step, batches.size())) continue;
    trained.stop();
    std::copy(average.params().begin(), average.params().end(), averaged.params().begin());
    known = accuracy(averaged, test, threads);
    const std::string reached = milestones.reach(known, trained.seconds());
    if (!options.quiet) {
      say("epoch ", fixed(static_cast<double>(step + 1) / static_cast<double>(batches.size()), 2), "  loss ",
          fixed(loss_sum / static_cast<double>(losses), 4), "  test ", percent(known), "  ",
          fixed(trained.seconds(), 2), " s", reached);
    }
    loss_sum = 0, losses = 0;
    trained.resume();
  }
  trained.stop();

  std::copy(average.params().begin(), average.params().end(), averaged.params().begin());
  eigan::save(options.out, averaged,
              {{"seed", std::to_string(options.seed)},
               {"epochs", std::to_string(recipe.epochs)},
               {"steps", std::to_string(step)}});
  if (step < steps) {
    say("mnist_recogniser: stopped after ", step, " of ", steps, " steps; ", eigan::printable(options.out, 4096),
        " holds what they gave");
    return by_signal + Interrupt::received();
  }
  if (!options.quiet) {
    say("trained in ", duration(trained.seconds()), ", ", duration(seconds_since(start)),
        " with the looks at the test images: it knows ", percent(known), " of them; ", milestones.text(), "\n",
        eigan::printable(options.out, 4096), " holds the model");
  }
  return success;
}

}  // namespace mnist_recogniser
