// The semantic consistency of CyCADA (Hoffman et al. 2018, "CyCADA: Cycle-Consistent Adversarial Domain Adaptation",
// eq. 4): a frozen recogniser of the source's domain, r, is to read a translation as it reads the picture that was
// translated. Nobody tells it a label.
//   L = mean_j cross_entropy(r(G(x_j)), argmax r(x_j))
#pragma once

#include <eigan/core/parallel.hpp>
#include <eigan/core/view.hpp>
#include <eigan/net/tape.hpp>

#include "networks.hpp"

namespace image_to_image {

class SemanticLoss {
 public:
  /// For batches of up to `batch` pictures. reader: the eyes of a recogniser (mnist_recogniser/recogniser.hpp), which
  /// must outlive it.
  SemanticLoss(const AnyModel& reader, double weight, eigan::Index batch);

  /// The loss of translations `made` of `source`; adds its gradient, weighted, to `gradient`.
  double add(eigan::ConstView<float> source, eigan::ConstView<float> made, eigan::View<float> gradient,
             eigan::Threads threads);

 private:
  eigan::ConstView<float> logits(eigan::LastingView<float> pictures, eigan::Threads threads);

  const AnyModel& reader_;
  float weight_;
  eigan::Tape<float> tape_;
  eigan::Matrix<float> gradient_;
};

}  // namespace image_to_image
