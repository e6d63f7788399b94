#include "semantic_loss.hpp"

#include <vector>

#include <eigan/losses/cross_entropy.hpp>
#include <eigan/metrics/accuracy.hpp>

#include "mnist_recogniser/recogniser.hpp"

namespace image_to_image {

using namespace eigan;
using mnist_recogniser::digit_count, mnist_recogniser::feature_count;

SemanticLoss::SemanticLoss(const AnyModel& reader, double weight, Index batch)
    : reader_(reader),
      weight_(static_cast<float>(weight)),
      tape_(reader.tape(batch)),
      gradient_(reader.input_size(), batch) {}

ConstView<float> SemanticLoss::logits(LastingView<float> pictures, Threads threads) {
  return reader_.forward(tape_, pictures, threads).middleRows(feature_count, digit_count);
}

double SemanticLoss::add(ConstView<float> source, ConstView<float> made, View<float> gradient, Threads threads) {
  const std::vector<Index> wanted = metrics::argmax<float>(logits(source, threads));
  const ConstView<float> said = logits(made, threads);
  View<float> of_output = tape_.output_gradient();
  of_output.setZero();  // features are free
  View<float> of_logits = of_output.middleRows(feature_count, digit_count);
  const float loss = cross_entropy<float>(said, wanted, of_logits);
  of_logits *= weight_;
  const View<float> of_made = View<float>(gradient_).columns(0, made.cols());
  reader_.backward_input(tape_, of_made, threads);
  gradient += of_made;
  return static_cast<double>(loss);
}

}  // namespace image_to_image
