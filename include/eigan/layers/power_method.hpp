// PowerMethod: singular vectors u and v of a weight W, out x n as it lies in memory, kept in a layer's state.
//   u = W v / |W v|,   v = W^T u / |W^T u|,   and again: they come near to those of the largest singular value, u^T W v
// The state has v in the order of files, channels before taps, and 0 before the first step.
#pragma once

#include <algorithm>

#include <eigan/core/parameter.hpp>
#include <eigan/core/random.hpp>
#include <eigan/core/transpose.hpp>
#include <eigan/kernels/gemm.hpp>
#include <eigan/layers/convolution.hpp>

namespace eigan::detail {

class PowerMethod {
 public:
  /// `weight`: a layer's, whose extents in a file begin with out and in.
  explicit PowerMethod(const Parameter& weight)
      : rows_(weight.rows), cols_(weight.cols), inputs_(weight.file_shape()[1]) {}

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  /// Of u and v.
  Index state_size() const { return rows_ + cols_; }

  template <class T>
  void init_state(std::span<T> s) const {
    View<T> u(s.data(), rows_, 1);
    fill_normal(u, 0, 1, Rng(0));
    to_length_one(u);
    std::fill_n(s.data() + rows_, cols_, T(0));
  }
  /// One step; the first time as many as PyTorch takes.
  template <class T>
  void update_state(const T* weight, std::span<T> s) const {
    View<T> u(s.data(), rows_, 1), v(s.data() + rows_, cols_, 1);
    const bool first = v.isZero(0);
    in_place(v, inputs_, cols_ / inputs_);
    take_steps(weight, first, first ? first_steps : 1, u, v);
    in_place(v, cols_ / inputs_, inputs_);
  }
  /// u and v as they meet the weight. Where nobody has taken a step, the first ones are taken here.
  template <class T>
  void load(const T* weight, std::span<const T> s, View<T> u, View<T> v) const {
    std::copy_n(s.data(), rows_, u.data());
    transpose(s.data() + rows_, cols_ / inputs_, cols_ / inputs_, inputs_, v.data(), inputs_);
    if (v.isZero(0)) take_steps(weight, true, first_steps, u, v);
  }

 private:
  static constexpr int first_steps = 15;

  template <class T>
  static void to_length_one(View<T> v) {
    v /= std::max(v.norm(), T(1e-12));
  }
  /// v, a matrix of cols x rows, becomes its transpose, of rows x cols.
  template <class T>
  static void in_place(View<T> v, Index rows, Index cols) {
    T* const copy = workspace<T>(v.rows());
    std::copy_n(v.data(), v.rows(), copy);
    transpose(copy, cols, cols, rows, v.data(), rows);
  }
  /// Without a v the first one is that of u.
  template <class T>
  void take_steps(const T* weight, bool without_v, int steps, View<T> u, View<T> v) const {
    const ConstView<T> w(weight, rows_, cols_);
    for (int step = without_v ? 0 : 1; step <= steps; ++step) {
      if (step > 0) {
        gemm::product<T>(w, v, u);
        to_length_one(u);
      }
      gemm::transposed<T>(w, u, v);
      to_length_one(v);
    }
  }

  Index rows_, cols_, inputs_;
};

}  // namespace eigan::detail
