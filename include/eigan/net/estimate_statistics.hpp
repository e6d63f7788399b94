// estimate_statistics: writes what batch-coupled layers use at inference, from samples of the network's input.
#pragma once

#include <type_traits>

#include <eigan/core/error.hpp>
#include <eigan/core/view.hpp>
#include <eigan/net/model.hpp>

namespace eigan {

/// Sends x (input_size x samples) through the network layer by layer, as at inference, and lets every BatchNorm1d take
/// its means and variances over all samples of its own input. To be called before infer or saving, once the weights
/// have changed: thousands of samples give steadier statistics than the averages over training batches that others
/// keep, and they belong to these weights, averaged ones (Ema) included. Throws std::invalid_argument without samples
/// or for samples of another size.
template <class Net, class T>
void estimate_statistics(Model<Net, T>& model, std::type_identity_t<ConstView<T>> x) {
  const Net& net = model.net();
  if (x.rows() != net.input_size() || x.cols() < 1)
    detail::fail_contract("eigan::estimate_statistics: expected samples of ", net.input_size(), " features, got ",
                          x.cols(), " of ", x.rows());
  Matrix<T> level = x;
  net.for_each_layer([&](auto i) {
    const auto& layer = net.layer(i);
    const std::span<T> p = model.params(i);
    if constexpr (requires { layer.set_statistics(p, ConstView<T>(level)); })
      layer.set_statistics(p, ConstView<T>(level));
    Matrix<T> next(net.features(i + 1), level.cols());
    layer.forward(std::span<const T>(p), ConstView<T>(level), View<T>(next));
    level.swap(next);
  });
}

}  // namespace eigan
