#include "recogniser.hpp"

#include <algorithm>
#include <cmath>

#include <eigan/core/error.hpp>
#include <eigan/io/model_file.hpp>

#include "kit/exit_code.hpp"

namespace mnist_recogniser {

using eigan::ConstView;
using eigan::Matrix;
using eigan::View;

namespace {

/// Each column becomes softmax of itself. One number after the other, so that none depends on how its column lies.
void softmax(View<float> z) {
  for (auto column : z.colwise()) {
    const float largest = column.maxCoeff();
    float total = 0;
    for (float& value : column) total += value = std::exp(value - largest);
    for (float& value : column) value /= total;
  }
}

}  // namespace

RecogniserModel load_recogniser(const std::filesystem::path& path) {
  return example::reading([&] {
    RecogniserModel model(eigan::Rng(0));
    eigan::load(path, model);
    return model;
  });
}

Recognised recognise(const RecogniserModel& model, ConstView<float> images, eigan::Threads threads) {
  const RecogniserNet& net = model.net();
  if (images.rows() != image_size) {
    eigan::detail::fail_contract("recognise: images of ", images.rows(), " pixels, expected ", image_size);
  }
  Recognised result{{feature_count, images.cols()}, {digit_count, images.cols()}};
  constexpr Index tile = 64;
  const double work = 2.0 * static_cast<double>(model.param_size()) * static_cast<double>(images.cols());
  eigan::detail::parallel_for((images.cols() + tile - 1) / tile, work, threads, [&](Index i) {
    const Index first = i * tile, count = std::min(tile, images.cols() - first);
    Matrix<float> hidden(net.layer<0>().output_size(), count);
    const View<float> features = View<float>(result.features).columns(first, count);
    const View<float> probabilities = View<float>(result.probabilities).columns(first, count);
    const auto layer = [&]<std::size_t I>(ConstView<float> x, View<float> y) {
      net.layer<I>().forward(model.params<I>(), x, y);
    };
    layer.template operator()<0>(images.columns(first, count), hidden);
    layer.template operator()<1>(hidden, hidden);
    layer.template operator()<2>(hidden, features);
    layer.template operator()<3>(features, features);
    layer.template operator()<4>(features, probabilities);
    softmax(probabilities);
  });
  return result;
}

}  // namespace mnist_recogniser
