// image_to_image: learns to translate pictures of one kind into another, from pairs (Pix2Pix) or from two heaps
// (CycleGAN). `image_to_image --help` says how.
#include <cstdio>
#include <variant>

#include "kit/exit_code.hpp"
#include "kit/guarded.hpp"

#include "commands.hpp"

namespace image_to_image {
namespace {

struct Do {
  int operator()(const TrainOptions& options) const { return train(options); }
  int operator()(const TranslateOptions& options) const { return translate(options); }
  int operator()(const EvaluateOptions& options) const { return evaluate(options); }
  int operator()(const PrepareOptions& options) const { return prepare(options); }
  int operator()(const Answer& answer) const {
    std::fputs(answer.text.c_str(), stdout);
    return success;
  }
};

int run(int argc, char** argv) {
  try {
    return std::visit(Do{}, parse_arguments(argc, argv));
  } catch (const BadUsage& error) {
    return fail("image_to_image", error.what(), usage);
  }
}

}  // namespace
}  // namespace image_to_image

int main(int argc, char** argv) {
  return kit::guarded("image_to_image", [&] { return image_to_image::run(argc, argv); });
}
