#include "digit_reader.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "mnist_recogniser/digit_image.hpp"
#include "mnist_recogniser/digit_size.hpp"
#include "mnist_recogniser/softmax.hpp"

namespace page {

Reading read_digit(const AnyModel& recogniser, const Canvas& drawing) {
  using mnist_recogniser::image_size;
  Reading reading;
  if (recogniser.input_size() != image_size || recogniser.output_size() != std::ssize(reading.probabilities))
    eigan::detail::fail_data("expected a recogniser of ten digits, found a network from ",
                             text_of(recogniser.input_shape()), " to ", text_of(recogniser.output_shape()));
  reading.seen.resize(image_size, 1);
  mnist_recogniser::write_digit(grey(drawing), {reading.seen.data(), static_cast<std::size_t>(image_size)});
  Matrix<float> logits = recogniser.infer(reading.seen, eigan::Threads{1});
  mnist_recogniser::softmax(logits);
  std::copy_n(logits.data(), reading.probabilities.size(), reading.probabilities.begin());
  return reading;
}

}  // namespace page
