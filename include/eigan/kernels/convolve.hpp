// A convolution's products, on views of samples in columns; ConvolutionShape says how pixels and weights lie.
//
//   forward           y  = bias + w x        of some rows of the output
//   transposed        x  = bias + w^T y      of some rows of the image: backward_input, ConvTranspose2d's forward
//   add_gradients     dw += dy x^T, db += row sums of dy      for some parts of the weight
//
// Rows as well as parts may be computed in any order and by any number of threads, samples too in the first two: each
// number is added up in an order that depends on sizes alone. No memory is allocated: a call that asks for `workspace`
// writes to as many numbers as the function of that name says; calls at the same time must not share one.
#pragma once

#include <type_traits>

#include <eigan/core/error.hpp>
#include <eigan/core/transpose.hpp>
#include <eigan/core/view.hpp>
#include <eigan/kernels/convolution.hpp>

namespace eigan::convolution {

namespace detail {
/// Throws std::invalid_argument unless the views are samples of the shape's input and output, as many of both.
inline void check_samples(const char* place, const ConvolutionShape& s, Index in_rows, Index in_cols, Index out_rows,
                          Index out_cols) {
  if (in_rows == s.in_size() && out_rows == s.out_size() && in_cols == out_cols) return;
  eigan::detail::fail_contract(place, ": expected images of ", s.in_size(), " numbers and as many outputs of ",
                               s.out_size(), ", found ", in_rows, " x ", in_cols, " and ", out_rows, " x ", out_cols);
}
inline void check_range(const char* place, Index first, Index last, Index size) {
  if (0 <= first && first <= last && last <= size) return;
  eigan::detail::fail_contract(place, ": expected a range in 0 to ", size, ", found ", first, " to ", last);
}
}  // namespace detail

/// Throws std::invalid_argument unless there is an output and all sizes are positive (paddings: not negative).
inline void check(const ConvolutionShape& s) {
  const bool positive = s.in > 0 && s.height > 0 && s.width > 0 && s.out > 0 && s.kernel_height > 0 &&
                        s.kernel_width > 0 && s.stride_height > 0 && s.stride_width > 0;
  if (!positive || s.padding_height < 0 || s.padding_width < 0)
    eigan::detail::fail_contract("convolution: sizes must be positive, paddings not negative");
  if (s.height + 2 * s.padding_height < s.kernel_height || s.width + 2 * s.padding_width < s.kernel_width)
    eigan::detail::fail_contract("convolution: expected an image of at least ", s.kernel_height, " x ", s.kernel_width,
                                 " with its padding, found ", s.height + 2 * s.padding_height, " x ",
                                 s.width + 2 * s.padding_width);
}

/// y = bias + w x for rows [rows.first, rows.last) of the output. bias may be null: zeros.
template <class T>
void forward(const ConvolutionShape& s, ImageRows rows, const T* w, const T* bias, std::type_identity_t<ConstView<T>> x,
             View<T> y) {
  detail::check_samples("convolution::forward", s, x.rows(), x.cols(), y.rows(), y.cols());
  detail::check_range("convolution::forward, rows", rows.first, rows.last, s.out_height());
  eigan::detail::convolution_kernels<T>().forward(s, rows, x.cols(), w, bias, {x.data(), 1, x.outerStride()},
                                                  {y.data(), 1, y.outerStride()});
}

/// The weights as transposed() reads them, column-major: in x out for each tap; of few channels one matrix, in taps x
/// out. wt: as many numbers as w.
template <class T>
void transpose_weights(const ConvolutionShape& s, const T* w, T* wt) {
  const Index rows = eigan::detail::has_few_channels(s) ? s.in * s.taps() : s.in;
  for (Index at = 0; at < s.weights(); at += s.out * rows)
    eigan::detail::transpose(w + at, s.out, s.out, rows, wt + at, rows);
}
/// Numbers that transposed() asks for.
constexpr Index transposed_workspace(const ConvolutionShape& s) {
  return eigan::detail::transposed_workspace(s);
}
/// x = bias + w^T y for rows [rows.first, rows.last) of the image; bias has `in` numbers or is null: zeros.
template <class T>
void transposed(const ConvolutionShape& s, ImageRows rows, const T* wt, const T* bias,
                std::type_identity_t<ConstView<T>> y, View<T> x, T* workspace) {
  detail::check_samples("convolution::transposed", s, x.rows(), x.cols(), y.rows(), y.cols());
  detail::check_range("convolution::transposed, rows", rows.first, rows.last, s.height);
  eigan::detail::convolution_kernels<T>().transposed(s, rows, y.cols(), wt, bias, {y.data(), 1, y.outerStride()},
                                                     {x.data(), 1, x.outerStride()}, workspace);
}

/// Parts of the weight whose gradients are independent.
constexpr Index gradient_parts(const ConvolutionShape& s) {
  return eigan::detail::gradient_parts(s);
}
/// Numbers that add_gradients() asks for.
constexpr Index gradient_workspace(const ConvolutionShape& s) {
  return eigan::detail::gradient_workspace(s);
}
/// dw += dy x^T for parts [first, last); db, which may be null, += row sums of dy, each by one of the parts.
template <class T>
void add_gradients(const ConvolutionShape& s, Index first, Index last, std::type_identity_t<ConstView<T>> dy,
                   std::type_identity_t<ConstView<T>> x, T* dw, T* db, T* workspace) {
  detail::check_samples("convolution::add_gradients", s, x.rows(), x.cols(), dy.rows(), dy.cols());
  detail::check_range("convolution::add_gradients, parts", first, last, gradient_parts(s));
  eigan::detail::convolution_kernels<T>().add_gradients(s, first, last, x.cols(), {dy.data(), 1, dy.outerStride()},
                                                        {x.data(), 1, x.outerStride()}, dw, db, workspace);
}

/// dwt += the gradient in the order of transpose_weights(), for parts [first, last) of as many. Not for few channels.
template <class T>
void add_transposed_gradients(const ConvolutionShape& s, Index first, Index last, std::type_identity_t<ConstView<T>> dy,
                              std::type_identity_t<ConstView<T>> x, T* dwt) {
  detail::check_samples("convolution::add_transposed_gradients", s, x.rows(), x.cols(), dy.rows(), dy.cols());
  detail::check_range("convolution::add_transposed_gradients, parts", first, last, gradient_parts(s));
  if (eigan::detail::has_few_channels(s))
    eigan::detail::fail_contract("convolution::add_transposed_gradients: not for images of ", s.in, " channels");
  eigan::detail::convolution_kernels<T>().add_transposed_gradients(
      s, first, last, x.cols(), {dy.data(), 1, dy.outerStride()}, {x.data(), 1, x.outerStride()}, dwt);
}

/// Where parts are few the samples are divided, too: into so many groups, as even as can be, each with a gradient of
/// its own that starts at zero; these are added in order. It depends on sizes alone.
constexpr Index sample_groups(const ConvolutionShape& s, Index samples) {
  constexpr Index enough = 16;  // pieces of work: for a few threads
  return std::clamp<Index>(enough / gradient_parts(s), 1, std::max<Index>(samples, 1));
}
/// The first sample of group `group`; that of the group behind the last is `samples`.
constexpr Index first_of_group(Index samples, Index groups, Index group) {
  return samples * group / groups;
}

}  // namespace eigan::convolution
