#include "recogniser.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/io/checksum.hpp>
#include <eigan/io/model_file.hpp>

#include "kit/exit_code.hpp"
#include "kit/text.hpp"

#include "recogniser_net.hpp"
#include "softmax.hpp"

namespace mnist_recogniser {

using eigan::ConstView;
using eigan::Matrix;

namespace {

/// Whether the file holds a network whose first layer is dense.
bool is_dense(const eigan::SafetensorsFile& file) {
  const auto& tensors = file.tensors();
  return std::any_of(tensors.begin(), tensors.end(), [](const eigan::TensorInfo& tensor) {
    return tensor.name == "0.weight" && tensor.shape.size() == 2;
  });
}

template <class Net, class Asked>
RecogniserModel load_version(int version, const eigan::SafetensorsFile& file) {
  eigan::Model<Net> model(eigan::Rng(0));
  eigan::load(file, model);
  const auto copy = [](std::span<const float> values) {
    eigan::Buffer<float> buffer(std::ssize(values));
    std::copy(values.begin(), values.end(), buffer.begin());
    return buffer;
  };
  return {version,
          eigan::Model<Asked>(Asked(), copy(std::as_const(model).params()), copy(std::as_const(model).state()))};
}

std::string checksum(const RecogniserModel& model) {
  eigan::detail::Checksum sum;
  sum.add(std::as_bytes(model.eyes.params()));
  sum.add(std::as_bytes(model.eyes.state()));
  return sum.text();
}

}  // namespace

RecogniserModel load_recogniser(const std::filesystem::path& path) {
  return kit::reading([&] {
    const auto file = eigan::SafetensorsFile::read(path);
    return is_dense(file) ? load_version<Dense<Readout>, DenseEyes>(1, file)
                          : load_version<Convolutional<Readout>, Eyes>(2, file);
  });
}

std::string yardstick_name(const RecogniserModel& model) {
  const std::string sum = checksum(model);
  if (sum == "4f0dc317707ab070") return "yardstick 1";
  if (sum == "4512474c3ce30994") return "yardstick 2";
  return kit::concat("a recogniser of version ", model.version, " (checksum ", sum, ')');
}

Recognised recognise(const RecogniserModel& model, ConstView<float> images, eigan::Threads threads) {
  if (images.rows() != image_size) {
    eigan::detail::fail_contract("recognise: images of ", images.rows(), " pixels, expected ", image_size);
  }
  Recognised result{{feature_count, images.cols()}, {digit_count, images.cols()}};
  constexpr Index piece = 4096;
  for (Index first = 0; first < images.cols(); first += piece) {
    const Index count = std::min(piece, images.cols() - first);
    const Matrix<float> seen = model.eyes.infer(images.columns(first, count), threads);
    result.features.middleCols(first, count) = seen.topRows(feature_count);
    result.probabilities.middleCols(first, count) = seen.bottomRows(digit_count);
  }
  softmax(result.probabilities);
  return result;
}

}  // namespace mnist_recogniser
