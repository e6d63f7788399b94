// CycleGAN: translation learnt from two heaps of pictures that nobody has paired (Zhu et al. 2017, "Unpaired
// Image-to-Image Translation using Cycle-Consistent Adversarial Networks"). G makes b of a, F makes a of b; each is
// told by a discriminator whether it hits the other domain, and the way there and back must give the picture again:
//   G, F minimise  (D_b(G(a)) - 1)^2 + (D_a(F(b)) - 1)^2 + 10 |F(G(a)) - a| + 10 |G(F(b)) - b|
//                  + 5 |G(b) - b| + 5 |F(a) - a|                         (the identity, where channels are as many)
//                  + what G(a) and F(b) lose of a's and b's meaning      (semantic_loss.hpp, where somebody reads it)
//   D_b minimises  (D_b(b) - 1)^2 + D_b(G(a))^2,  with some of the last 50 translations in place of new ones;  D_a
//   alike
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <eigan/core/buffer.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/gan/image_pool.hpp>
#include <eigan/optim/adam.hpp>
#include <eigan/optim/ema.hpp>

#include "kit/columns.hpp"

#include "feed.hpp"
#include "networks.hpp"
#include "semantic_loss.hpp"

namespace image_to_image {

/// Who reads what pictures of a domain mean; null: nobody.
struct Readers {
  const AnyModel* of_a = nullptr;
  const AnyModel* of_b = nullptr;
};

class CycleGan {
 public:
  /// `pictures` must outlive it, and so must the models that `readers` names, which a semantic weight needs.
  CycleGan(const Recipe& recipe, const TwoDomains& pictures, std::uint64_t seed, eigan::Threads threads,
           const Readers& readers = {});

  Columns columns() const;
  /// Every picture of the larger domain once.
  Index steps_per_epoch() const;
  /// The generators' step, then the discriminators'. Returns what the columns say. rate: a factor of the learning rates
  /// beside their schedule.
  std::vector<double> step(Index number, double rate = 1);

  /// The generators, ready for inference. Valid until the next step.
  const Generator& a_to_b() { return shown(b_); }
  const Generator& b_to_a() { return shown(a_); }
  const AnyModel& discriminator() const { return b_.discriminator; }

  /// Names everything that steps change: for checkpoints (eigan/io/checkpoint.hpp).
  template <class Visit>
  void visit_state(Visit&& visit) {
    visit("a", a_), visit("b", b_);
  }

 private:
  /// A domain: the generator that makes its pictures of the other's, who judges them, and the memory of a step.
  struct Domain {
    Domain(const Recipe& recipe, const PictureSet& own, const PictureSet& other, const AnyModel* reader_of_other,
           bool identity, eigan::Rng rng);

    Generator generator;
    AnyModel discriminator;
    eigan::Adam<float> g_adam, d_adam;
    eigan::Ema<float> average;
    Generator averaged;  // shown()'s, where an average is taken
    bool averages;
    eigan::ImagePool<float> pool;
    std::optional<SemanticLoss> semantic;   // of translations from the other's pictures
    eigan::Tape<float> made, back, judged;  // passes: translations; there and back again; the discriminator's
    eigan::Buffer<float> g_grad, d_grad;
    eigan::Matrix<float> given, own;       // the other domain's pictures, this one's behind them for the identity
    eigan::Matrix<float> shown, gradient;  // to the discriminator: real pictures, then translations

    template <class Visit>
    void visit_state(Visit&& visit) {
      visit("generator", generator), visit("generator.adam", g_adam);
      visit("discriminator", discriminator), visit("discriminator.adam", d_adam);
      if (averages) visit("generator.average", average);
      if (pool.capacity() > 0) visit("pool", pool);
    }
  };

  static const Generator& shown(Domain& domain);
  double there_and_back(Domain& there, Domain& home, eigan::Rng rng);
  /// What a generator's step measured.
  struct Measured {
    double adversarial = 0, identity = 0, semantic = 0;
  };
  Measured improve_generator(Domain& domain, bool has_cycle);
  double improve_discriminator(Domain& domain, eigan::Rng rng);

  Recipe recipe_;
  const TwoDomains& pictures_;
  bool identity_;
  eigan::Rng rng_;
  eigan::Threads threads_;
  Domain a_, b_;
  Feed a_feed_, b_feed_;
};

}  // namespace image_to_image
