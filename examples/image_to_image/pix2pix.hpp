// Pix2Pix: translation learnt from pairs (Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial
// Networks"). G makes y' of x; D tells pairs (x, y) from pairs (x, y'), patch by patch:
//   D minimises  bce(D(x, y), 1) + bce(D(x, y'), 0)         G minimises  bce(D(x, y'), 1) + 100 mean |y - y'|
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <eigan/core/parallel.hpp>
#include <eigan/gan/workspace.hpp>
#include <eigan/optim/adam.hpp>
#include <eigan/optim/ema.hpp>

#include "kit/columns.hpp"

#include "feed.hpp"
#include "networks.hpp"

namespace image_to_image {

class Pix2Pix {
 public:
  /// `pairs` must outlive it.
  Pix2Pix(const Recipe& recipe, const TwoDomains& pairs, std::uint64_t seed, eigan::Threads threads);

  static const Columns& columns();
  Index steps_per_epoch() const { return (pairs_.a.count + recipe_.batch - 1) / recipe_.batch; }
  /// The discriminator's step, then the generator's. Returns what the columns say. rate: a factor of the learning rates
  /// beside their schedule.
  std::vector<double> step(Index number, double rate = 1);

  /// The generator from a to b, ready for inference. Valid until the next step.
  const Generator& a_to_b();
  const AnyModel& discriminator() const { return discriminator_; }

  /// Names everything that steps change: for checkpoints (eigan/io/checkpoint.hpp).
  template <class Visit>
  void visit_state(Visit&& visit) {
    shown_is_old_ = true;  // after a checkpoint has been read, too
    visit("generator", generator_), visit("generator.adam", g_adam_);
    if (recipe_.average > 0) visit("generator.average", average_);
    if (recipe_.loss == Losses::l1) return;
    visit("discriminator", discriminator_), visit("discriminator.adam", d_adam_);
  }

 private:
  void take_average();
  double add_l1(eigan::ConstView<float> made, eigan::View<float> gradient);

  Recipe recipe_;
  const TwoDomains& pairs_;
  eigan::Rng rng_;
  eigan::Threads threads_;
  Generator generator_;
  AnyModel discriminator_;
  eigan::Adam<float> g_adam_, d_adam_;
  eigan::Ema<float> average_;
  Generator shown_;  // a_to_b()'s
  bool shown_is_old_ = true;
  Feed feed_;
  eigan::GanWorkspace<float> workspace_;
  eigan::Matrix<float> x_, l1_gradient_;
};

}  // namespace image_to_image
