// A network run layer by layer, as its layers' functions say and no faster: the whole batch at once, on one thread,
// with every level and every gradient in a matrix of its own. What tapes, tiles and threads do must come to the same
// bits.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include <eigan/core/layer.hpp>
#include <eigan/core/rng.hpp>
#include <eigan/core/view.hpp>

namespace by_hand {

using namespace eigan;

template <class T>
struct Pass {
  std::vector<Matrix<T>> levels;     ///< 0 is the input, i the output of layer i - 1
  std::vector<Matrix<T>> gradients;  ///< with respect to each level
  std::vector<T> grad;               ///< with respect to the parameters
};

/// Forward in training, then backward from dy.
template <class T, class Net>
Pass<T> train(const Net& net, std::span<const T> params, const Matrix<T>& x, const Matrix<T>& dy, Rng rng) {
  Pass<T> pass{{x}, std::vector<Matrix<T>>(net.depth() + 1), std::vector<T>(params.size())};
  net.for_each_layer([&](auto i) {
    const auto& layer = net.layer(i);
    Matrix<T> y(net.features(i + 1), x.cols());
    if constexpr (StochasticLayer<std::remove_cvref_t<decltype(layer)>, T>)
      layer.template forward_train<T>(net.slice(i, params), pass.levels[i], y, Draw{rng.fold_in(i), 0});
    else
      layer.template forward<T>(net.slice(i, params), pass.levels[i], y);
    pass.levels.push_back(y);
  });
  pass.gradients[net.depth()] = dy;
  net.for_each_layer_reversed([&](auto i) {
    const auto& layer = net.layer(i);
    const auto p = net.slice(i, params);
    const Matrix<T>&xi = pass.levels[i], &yi = pass.levels[i + 1], &dyi = pass.gradients[i + 1];
    Matrix<T>& dx = pass.gradients[i];
    dx.resize(xi.rows(), xi.cols());
    if constexpr (StochasticLayer<std::remove_cvref_t<decltype(layer)>, T>)
      layer.template backward_input_train<T>(p, xi, yi, dyi, dx, Draw{rng.fold_in(i), 0});
    else
      layer.template backward_input<T>(p, xi, yi, dyi, dx);
    if constexpr (ParametricLayer<std::remove_cvref_t<decltype(layer)>, T>)
      layer.template backward_params<T>(p, xi, yi, dyi, net.slice(i, std::span<T>(pass.grad)));
  });
  return pass;
}

/// Forward at inference.
template <class T, class Net>
Matrix<T> infer(const Net& net, std::span<const T> params, Matrix<T> x) {
  net.for_each_layer([&](auto i) {
    Matrix<T> y(net.features(i + 1), x.cols());
    net.layer(i).template forward<T>(net.slice(i, params), x, y);
    x = y;
  });
  return x;
}

}  // namespace by_hand
