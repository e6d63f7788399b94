#include "describe.hpp"

#include <eigan/core/parallel.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/kernels/isa.hpp>
#include <eigan/version.hpp>

#include "kit/build.hpp"
#include "kit/json_object.hpp"
#include "mnist_recogniser/recogniser.hpp"

namespace image_to_image {

namespace {

template <class Choice>
const std::string& word(const std::vector<std::string>& words, Choice choice) {
  return words[static_cast<std::size_t>(choice)];
}

std::string name_of_recogniser(const std::string& path) {
  return mnist_recogniser::yardstick_name(mnist_recogniser::load_recogniser(path));
}

/// What decides the result of a run bit for bit, beside the pictures. Runs go on by these words: add to them for what
/// is new, and leave the others as they are.
JsonObject decisions(const TrainOptions& options, const TaskData& data) {
  const Recipe& r = options.recipe;
  JsonObject object;
  object.add("task", data.info.task)
      .add("reversed", options.data.reversed)
      .add("method", word(methods, r.method))
      .add("epochs", r.epochs)
      .add("batch", r.batch)
      .add("seed", options.seed)
      .add("generator", word(architectures, r.architecture))
      .add("g_channels", r.g_channels)
      .add("blocks", r.blocks)
      .add("norm", word(norms, r.norm))
      .add("statistics", word(statistics, r.image_statistics))
      .add("dropout", r.dropout)
      .add("d_channels", r.d_channels)
      .add("d_levels", r.d_levels)
      .add("loss", word(losses, r.loss))
      .add("l1", r.l1_weight)
      .add("cycle", r.cycle_weight)
      .add("identity", r.identity_weight)
      .add("pool", r.pool)
      .add("lr", r.lr)
      .add("beta1", r.beta1)
      .add("flat", r.flat)
      .add("jitter", r.jitter)
      .add("mirror", r.mirror)
      .add("output", word(outputs, r.change))
      .add("collage", r.collage)
      .add("average", r.average)
      .add("semantic", r.semantic_weight)
      .add("log_every", options.run.log_every)
      .add("samples_every", options.run.samples_every);
  if (r.semantic_weight > 0)
    object.add("recogniser", name_of_recogniser(options.recogniser))
        .add("back_recogniser", name_of_recogniser(options.back_recogniser));
  return object;
}

std::string loss_text(const Recipe& r) {
  if (r.method == Method::cycle_gan)
    return concat("least squares, cycle ", shortest(r.cycle_weight), ", identity ", shortest(r.identity_weight),
                  " times that, pool ", r.pool,
                  r.semantic_weight > 0 ? concat(", semantic ", shortest(r.semantic_weight)) : "");
  if (r.loss == Losses::l1) return "L1";
  return concat("adversarial", r.loss == Losses::both ? concat(" + ", shortest(r.l1_weight), " L1") : "");
}

}  // namespace

std::vector<std::pair<std::string, std::string>> described(const TrainOptions& options, const TaskData& data,
                                                           const Generator& generator, const AnyModel& discriminator,
                                                           Index steps_per_epoch) {
  const Recipe& r = options.recipe;
  const int threads = eigan::thread_count({options.run.threads});
  const bool with_judge = r.method == Method::cycle_gan || r.loss != Losses::l1;
  return {
      {"compiler", concat(kit::compiler(), ", ", kit::engine())},
      {"execution", concat(eigan::to_string(eigan::active_isa()), " kernels, float32, ", threads,
                           threads == 1 ? " thread" : " threads")},
      {"from",
       concat(eigan::printable(data.info.a), ", ", picture_text(data.train.a), ": ", grouped(data.train.a.count))},
      {"to", concat(eigan::printable(data.info.b), ", ", picture_text(data.train.b), ": ", grouped(data.train.b.count),
                    r.method == Method::cycle_gan ? ", unpaired" : "")},
      {"method", concat(word(methods, r.method), ": ", loss_text(r))},
      {"generator",
       concat(word(architectures, r.architecture), " of ", joined(r.g_channels, '-'), " channels, ",
              grouped(generator.param_size()), " parameters, norm ", word(norms, r.norm),
              r.change ? ", adding to its input" : "", r.dropout > 0 ? concat(", dropout ", shortest(r.dropout)) : "")},
      {"discriminator", with_judge ? concat("patches of ", patch_size(r.d_levels), " pixels, ",
                                            grouped(discriminator.param_size()), " parameters")
                                   : "none"},
      {"optimiser", concat("Adam, lr ", shortest(r.lr), ", falling after ", shortest(100 * r.flat), " %, beta1 ",
                           shortest(r.beta1), r.average > 0 ? concat(", average ", shortest(r.average)) : "")},
      {"length", concat(grouped(r.epochs), " epochs of ", grouped(steps_per_epoch), " steps, batch ", grouped(r.batch),
                        ", moved by up to ", r.jitter, " pixels", r.mirror ? ", mirrored" : "",
                        r.collage ? ", half of them collages" : "", ", seed ", options.seed)},
      {"out", eigan::printable(options.run.out)},
  };
}

kit::Settings settings(const TrainOptions& options, const TaskData& data,
                       const std::vector<std::pair<std::string, std::string>>& described) {
  kit::Settings all{.decisions = decisions(options, data),
                    .banner = concat("eigan ", eigan::version, ": pictures to pictures")};
  all.others.add("from", data.info.a)
      .add("to", data.info.b)
      .add("licence", data.info.licence)
      .add("threads", eigan::thread_count({options.run.threads}))
      .add("eigan_version", eigan::version)
      .add("kernels", eigan::to_string(eigan::active_isa()))
      .add("compiler", kit::compiler());
  for (const auto& [name, value] : described)
    all.banner += concat("\n  ", name, std::string(15 - name.size(), ' '), value);
  return all;
}

}  // namespace image_to_image
