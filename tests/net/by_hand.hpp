// A network run layer by layer, as its layers' functions say and no faster: the whole batch at once, on one thread,
// with every level and every gradient in a matrix of its own. What tapes, tiles and threads do must come to the same
// bits.
#pragma once

#include <cstddef>
#include <span>
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
  Pass<T> pass{{x}, std::vector<Matrix<T>>(Net::depth + 1), std::vector<T>(params.size())};
  Net::for_each_layer([&]<std::size_t I>() {
    const auto& layer = net.template layer<I>();
    Matrix<T> y(net.features(I + 1), x.cols());
    if constexpr (StochasticLayer<typename Net::template LayerType<I>, T>)
      layer.template forward_train<T>(net.template slice<I>(params), pass.levels[I], y, Draw{rng.fold_in(I), 0});
    else
      layer.template forward<T>(net.template slice<I>(params), pass.levels[I], y);
    pass.levels.push_back(y);
  });
  pass.gradients[Net::depth] = dy;
  Net::for_each_layer_reversed([&]<std::size_t I>() {
    const auto& layer = net.template layer<I>();
    const auto p = net.template slice<I>(params);
    const Matrix<T>&xi = pass.levels[I], &yi = pass.levels[I + 1], &dyi = pass.gradients[I + 1];
    Matrix<T>& dx = pass.gradients[I];
    dx.resize(xi.rows(), xi.cols());
    if constexpr (StochasticLayer<typename Net::template LayerType<I>, T>)
      layer.template backward_input_train<T>(p, xi, yi, dyi, dx, Draw{rng.fold_in(I), 0});
    else
      layer.template backward_input<T>(p, xi, yi, dyi, dx);
    if constexpr (ParametricLayer<typename Net::template LayerType<I>, T>)
      layer.template backward_params<T>(p, xi, yi, dyi, net.template slice<I>(std::span<T>(pass.grad)));
  });
  return pass;
}

/// Forward at inference.
template <class T, class Net>
Matrix<T> infer(const Net& net, std::span<const T> params, Matrix<T> x) {
  Net::for_each_layer([&]<std::size_t I>() {
    Matrix<T> y(net.features(I + 1), x.cols());
    net.template layer<I>().template forward<T>(net.template slice<I>(params), x, y);
    x = y;
  });
  return x;
}

}  // namespace by_hand
