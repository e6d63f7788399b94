// from_planar and to_planar: images in PyTorch's order, all pixels of the first channel first, and in eigan's, pixel by
// pixel: planar[(c height + row) width + col] = x[c + channels (row width + col)].   Both: (channels height width) x
// batch
#pragma once

#include <type_traits>

#include <eigan/core/error.hpp>
#include <eigan/core/shape.hpp>
#include <eigan/core/transpose.hpp>
#include <eigan/core/view.hpp>

namespace eigan {

namespace detail {
template <class T>
void check_planar(const ConstView<T>& from, const View<T>& to, Shape shape) {
  if (from.rows() != shape.size() || to.rows() != shape.size() || from.cols() != to.cols())
    fail_contract("eigan: images of ", shape.channels, " x ", shape.height, " x ", shape.width, " have ", shape.size(),
                  " rows; given are ", from.rows(), " x ", from.cols(), " and ", to.rows(), " x ", to.cols());
}
}  // namespace detail

/// Images in PyTorch's order to eigan's. The two must not overlap. Throws std::invalid_argument for other sizes.
template <class T>
void from_planar(std::type_identity_t<ConstView<T>> planar, View<T> x, Shape shape) {
  detail::check_planar<T>(planar, x, shape);
  for (Index j = 0; j < x.cols(); ++j)
    detail::transpose(planar.data() + j * planar.outerStride(), shape.pixels(), shape.pixels(), shape.channels,
                      x.data() + j * x.outerStride(), shape.channels);
}

/// Images in eigan's order to PyTorch's.
template <class T>
void to_planar(std::type_identity_t<ConstView<T>> x, View<T> planar, Shape shape) {
  detail::check_planar<T>(x, planar, shape);
  for (Index j = 0; j < x.cols(); ++j)
    detail::transpose(x.data() + j * x.outerStride(), shape.channels, shape.channels, shape.pixels(),
                      planar.data() + j * planar.outerStride(), shape.pixels());
}

}  // namespace eigan
