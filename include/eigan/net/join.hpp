// Joins: the steps of a network that read several levels: a sum, and channels side by side. x and y are features x
// batch; inside a column channels run fastest, so that side by side means pixel by pixel, a1 a2 b1 | a3 a4 b2 | ...
// Backward: a sum hands dy to all that it read; channels side by side each get their own. Where another reader of a
// level has already written its gradient, `adds` says to add.
#pragma once

#include <algorithm>
#include <cstddef>

#include <eigan/core/shape.hpp>
#include <eigan/core/view.hpp>
#include <eigan/net/steps.hpp>

namespace eigan::detail {

/// y = x, or y += x, where y may be x itself.
template <class T>
void assign_or_add(const ConstView<T>& x, View<T> y, bool adds) {
  if (adds)
    y += x;
  else if (y.data() != x.data())
    y = x;
}

/// x's channels into channels [first, first + x's) of y, which has y_shape; a vector goes to every pixel.
template <class T>
void put_channels(const ConstView<T>& x, Shape x_shape, View<T> y, Shape y_shape, Index first) {
  const Index step = x_shape.is_vector() ? 0 : x_shape.channels;
  for (Index j = 0; j < x.cols(); ++j) {
    const T* from = x.data() + j * x.outerStride();
    T* to = y.data() + j * y.outerStride() + first;
    for (Index pixel = 0; pixel < y_shape.pixels(); ++pixel, from += step, to += y_shape.channels)
      std::copy_n(from, x_shape.channels, to);
  }
}

/// The way back: those channels of dy into dx, or added to it; a vector gets the sum over the pixels.
template <class T>
void take_channels(const ConstView<T>& dy, Shape y_shape, Index first, View<T> dx, Shape x_shape, bool adds) {
  const bool repeated = x_shape.is_vector() && !y_shape.is_vector();
  if (repeated && !adds) dx.setZero();
  for (Index j = 0; j < dx.cols(); ++j) {
    const T* from = dy.data() + j * dy.outerStride() + first;
    T* to = dx.data() + j * dx.outerStride();
    for (Index pixel = 0; pixel < y_shape.pixels(); ++pixel, from += y_shape.channels) {
      if (adds || repeated)
        for (Index c = 0; c < x_shape.channels; ++c) to[c] += from[c];
      else
        std::copy_n(from, x_shape.channels, to);
      to += repeated ? 0 : x_shape.channels;
    }
  }
}

/// y of a join whose inputs are x(level). A sum begins with the last of them, over which y may lie.
template <class T, class X>
void join(const Steps<T>& net, const Step<T>& step, View<T> y, const X& x) {
  if (step.kind == StepKind::sum) {
    for (std::size_t read = step.reads.size(); read-- > 0;)
      assign_or_add<T>(x(step.reads[read]), y, read + 1 < step.reads.size());
    return;
  }
  Index channel = 0;
  for (const std::size_t level : step.reads) {
    put_channels<T>(x(level), net.levels()[level], y, net.levels()[step.writes], channel);
    channel += net.levels()[level].channels;
  }
}

/// The way back: dy into, or added to, the gradient of each level that the join reads. dx(read) is that gradient, an
/// empty view where nobody wants it, adds(read) whether to add.
template <class T, class DX, class Adds>
void join_backward(const Steps<T>& net, const Step<T>& step, const ConstView<T>& dy, const DX& dx, const Adds& adds) {
  Index channel = 0;
  for (std::size_t read = 0; read < step.reads.size(); ++read) {
    const Shape shape = net.levels()[step.reads[read]];
    const View<T> to = dx(read);
    if (to.data() != nullptr) {
      if (step.kind == StepKind::sum)
        assign_or_add<T>(dy, to, adds(read));
      else
        take_channels<T>(dy, net.levels()[step.writes], channel, to, shape, adds(read));
    }
    channel += shape.channels;
  }
}

}  // namespace eigan::detail
