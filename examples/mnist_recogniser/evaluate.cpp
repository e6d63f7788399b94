#include "evaluate.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <eigan/core/printable.hpp>
#include <eigan/io/image_sheet.hpp>

#include "kit/exit_code.hpp"
#include "kit/message.hpp"
#include "kit/text.hpp"

#include "confusion.hpp"
#include "digit_data.hpp"
#include "digit_images.hpp"
#include "recogniser.hpp"

namespace mnist_recogniser {

using namespace kit;

namespace {

constexpr Index listed_mistakes = 10, drawn_mistakes = 100;

struct Mistake {
  Index image;
  int label, found;
  float confidence;
};

void write_mistakes(const std::string& path, const std::vector<Mistake>& mistakes, const DigitImages& test) {
  const Index count = std::min<Index>(drawn_mistakes, std::ssize(mistakes));
  eigan::Matrix<float> sheet(image_size, count);
  for (Index i = 0; i < count; ++i) sheet.col(i) = test.pixels.col(mistakes[static_cast<std::size_t>(i)].image);
  eigan::write_image_sheet<float>(path, sheet);
}

}  // namespace

int evaluate(const EvaluateOptions& options) {
  const RecogniserModel model = load_recogniser(options.model);
  const auto test = reading([&] { return DigitImages(load_digits(options.data, eigan::Split::test, yardstick)); });
  const Recognised recognised = recognise(model, test.pixels, eigan::Threads{options.threads});

  Confusion confusion;
  std::vector<Mistake> mistakes;
  for (Index image = 0; image < test.bytes.count; ++image) {
    const auto probabilities = recognised.probabilities.col(image);
    const int label = test.label(image), found = most_likely(probabilities);
    confusion.add(label, found);
    if (found != label) mistakes.push_back({image, label, found, probabilities[found]});
  }
  std::stable_sort(mistakes.begin(), mistakes.end(),
                   [](const Mistake& a, const Mistake& b) { return a.confidence > b.confidence; });

  const double known = static_cast<double>(confusion.right()) / static_cast<double>(confusion.images());
  print(yardstick_name(model), "\naccuracy ", percent(known), ": ", grouped(confusion.right()), " of ",
        grouped(confusion.images()), " images");
  print("\nconfusion: a row is what the images show, a column what they were taken for\n", confusion.table());
  if (!mistakes.empty()) print("the worst mistakes");
  for (Index i = 0; i < std::min<Index>(listed_mistakes, std::ssize(mistakes)); ++i) {
    const Mistake& m = mistakes[static_cast<std::size_t>(i)];
    print("  image ", m.image, ": a ", m.label, ", taken for ", m.found, " with ",
          percent(static_cast<double>(m.confidence)));
  }
  if (!options.out.empty() && mistakes.empty()) say("no mistakes: no sheet is written");
  if (!options.out.empty() && !mistakes.empty()) write_mistakes(options.out, mistakes, test);
  return success;
}

}  // namespace mnist_recogniser
