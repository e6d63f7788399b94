// SpectralNorm<Layer>: a layer with its weight W divided by an estimate of its largest singular value, so that it
// stretches nothing by more than about 1 (Miyato et al. 2018).     W: out x n as it lies in memory
//   forward: the layer's, with W^ = W / sigma,   sigma = u^T W v;   u and v, the state, follow W by one step of the
//   power method for each update_statistics(model, tape); before the first one a pass takes 15 of them by itself
// Backward:  dW += (dW^ - <dW^, W^> u v^T) / sigma, u and v being constants, as in
// torch.nn.utils.parametrizations.spectral_norm. <dW^, W^> = sum dy (y - b), so that it needs no memory of its own.
#pragma once

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigan/kernels/gemm.hpp>
#include <eigan/layers/channels.hpp>
#include <eigan/layers/conv2d.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/power_method.hpp>

namespace eigan {
namespace detail {

template <class L>
inline constexpr Index wrapped_input = dynamic;
template <class L>
inline constexpr Index wrapped_output = dynamic;
template <SizedLayer L>
inline constexpr Index wrapped_input<L> = L::input;
template <SizedLayer L>
inline constexpr Index wrapped_output<L> = L::output;

}  // namespace detail

namespace placed {

/// A layer with a normalised weight where it stands: Linear<> or placed::Conv2d.
template <class L>
class SpectralNorm {
 public:
  static constexpr Index input = dynamic, output = dynamic;
  static constexpr bool piecewise_linear = true;

  /// `out`: what the layer makes of a sample.
  SpectralNorm(L layer, Shape out)
      : layer_(std::move(layer)), out_(out), norm_(layer_.parameters()[0]), rows_(norm_.rows()), cols_(norm_.cols()) {}

  Index input_size() const { return layer_.input_size(); }
  Index output_size() const { return layer_.output_size(); }
  double operations() const { return layer_.operations(); }
  Spec spec() const { return {"SpectralNorm", {}, "::eigan::SpectralNorm", {}, {layer_.spec()}}; }

  Index param_size() const { return layer_.param_size(); }
  std::vector<Parameter> parameters() const {
    std::vector<Parameter> tensors = layer_.parameters();
    tensors[0].name = "parametrizations.weight.original";
    return tensors;
  }
  template <class T>
  void init(std::span<T> p, Rng rng) const {
    layer_.init(p, rng);
  }

  Index state_size() const { return norm_.state_size(); }
  std::vector<Parameter> states() const {
    return {{"parametrizations.weight.0._u", 0, rows_, 1, 1}, {"parametrizations.weight.0._v", rows_, cols_, 1, 1}};
  }
  template <class T>
  void init_state(std::span<T> s) const {
    norm_.init_state(s);
  }
  /// A step of the power method, to be taken once for each step of training.
  template <class T>
  void update_state(std::span<const T> p, std::span<T> s) const {
    norm_.update_state(p.data(), s);
  }

  // Prepared: the layer's parameters with W / sigma, what the layer prepares of them, u, v, sigma.

  Index prepared_size() const { return param_size() + inner_size() + rows_ + cols_ + 1; }
  template <class T>
  void prepare(std::span<const T> p, std::span<const T> s, std::span<T> q, Phase phase) const {
    const ConstView<T> w(p.data(), rows_, cols_);
    View<T> normalised(q.data(), rows_, cols_), u(vectors(q.data()), rows_, 1), v(u.data() + rows_, cols_, 1);
    norm_.load(p.data(), s, u, v);
    const View<T> product(q.data(), cols_, 1);  // its place for a moment
    gemm::transposed<T>(w, u, product);
    T& sigma = v.data()[cols_];
    sigma = product.col(0).dot(v.col(0));
    std::copy(p.begin(), p.end(), q.begin());
    normalised /= sigma;
    if constexpr (PreparedLayer<L, T>)
      layer_.prepare(std::span<const T>(q.first(p.size())), std::span<const T>(),
                     q.subspan(p.size(), static_cast<std::size_t>(inner_size())), phase);
  }

  template <class T>
  void forward(Prepared<T> p, ConstView<T> x, View<T> y) const {
    layer_.forward(inner(p), x, y);
  }
  template <class T>
  void backward_input(Prepared<T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    layer_.backward_input(inner(p), x, y, dy, dx);
  }
  Index part_count() const { return layer_.part_count(); }
  template <class T>
  void forward_parts(Prepared<T> p, ConstView<T> x, View<T> y, Index first, Index last) const {
    layer_.forward_parts(inner(p), x, y, first, last);
  }
  template <class T>
  void backward_input_parts(Prepared<T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx, Index first,
                            Index last) const {
    layer_.backward_input_parts(inner(p), x, y, dy, dx, first, last);
  }

  template <class T>
  void backward_params(Prepared<T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, std::span<T> dp) const {
    backward_params_blocks(p, x, y, dy, dp, 0, block_count());
  }
  // Blocks: the layer's, which are whole columns of the weight.
  Index block_count() const { return layer_.block_count(); }
  std::pair<Index, Index> block_range(Index block) const { return layer_.block_range(block); }
  template <class T>
  void backward_params_blocks(Prepared<T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, std::span<T> dp,
                              Index first, Index last) const {
    const Index begin = block_range(first).first, end = std::min(block_range(last - 1).second, rows_ * cols_);
    View<T> dw(dp.data() + begin, rows_, (end - begin) / rows_);
    dw *= sigma(p);
    layer_.backward_params_blocks(inner(p), x, y, dy, dp, first, last);
    project(p, begin / rows_, weight_times_gradient(p, y, dy), dw);
  }
  Index gradient_splits(Index batch) const {
    if constexpr (requires { layer_.gradient_splits(batch); })
      return layer_.gradient_splits(batch);
    else
      return 1;
  }

  template <class T>
  void forward_tangent(Prepared<T> p, ConstView<T> x, ConstView<T> y, ConstView<T> tx, View<T> ty) const {
    layer_.forward_tangent(inner(p), x, y, tx, ty);
  }
  template <class T>
  void backward_params_tangent(Prepared<T> p, ConstView<T> x, ConstView<T> y, ConstView<T> tx, ConstView<T> dty,
                               std::span<T> dp) const {
    View<T> dw(dp.data(), rows_, cols_);
    const ConstView<T> normalised(p.prepared.data(), rows_, cols_);
    dw *= sigma(p);
    const T before = dw.cwiseProduct(normalised).sum();
    layer_.backward_params_tangent(inner(p), x, y, tx, dty, dp);
    project(p, 0, dw.cwiseProduct(normalised).sum() - before, dw);
  }

 private:
  Index inner_size() const {
    if constexpr (requires { layer_.prepared_size(); })
      return layer_.prepared_size();
    else
      return 0;
  }
  template <class T>
  ParamsOf<L, T> inner(Prepared<T> p) const {
    const auto values = p.prepared.first(p.params.size());
    if constexpr (PreparedLayer<L, T>)
      return {values, p.prepared.subspan(values.size(), static_cast<std::size_t>(inner_size()))};
    else
      return values;
  }
  /// u, v, sigma.
  template <class T>
  T* vectors(T* prepared) const {
    return prepared + param_size() + inner_size();
  }
  template <class T>
  T sigma(Prepared<T> p) const {
    return vectors(p.prepared.data())[rows_ + cols_];
  }

  /// <dW^, W^> = sum dy (y - b).
  template <class T>
  T weight_times_gradient(Prepared<T> p, const ConstView<T>& y, const ConstView<T>& dy) const {
    const detail::Channels channels(out_);
    const Index weights = rows_ * cols_;
    T sum = 0;
    channels.for_each_run(0, channels.parts(), [&](detail::Run run) {
      detail::Channels::Moments<T> b{};
      if (param_size() > weights) std::copy_n(p.prepared.data() + weights + run.first, run.count, b.center.values);
      const auto with = channels.products(run, y, b, dy);
      for (Index i = 0; i < run.count; ++i) sum += with.product[i];
    });
    return sum * static_cast<T>(y.cols() * out_.pixels());
  }
  /// dw = (dw - product u v^T) / sigma for the columns from `column` on.
  template <class T>
  void project(Prepared<T> p, Index column, T product, View<T> dw) const {
    const ConstView<T> u(vectors(p.prepared.data()), rows_, 1), v(u.data() + rows_ + column, dw.cols(), 1);
    for (Index j = 0; j < dw.cols(); ++j) dw.col(j) = (dw.col(j) - (product * v(j, 0)) * u.col(0)) / sigma(p);
  }

  L layer_;
  Shape out_;
  detail::PowerMethod norm_;
  Index rows_, cols_;
};

}  // namespace placed

/// A layer with a weight of spectral norm 1: `SpectralNorm<Conv2d<64, 128, 4, 2, 1>>`, `SpectralNorm<Linear<128, 1>>`.
template <class L>
class SpectralNorm {
  using Placed = decltype(std::declval<const L&>().at(Shape{}));
  static_assert(std::is_same_v<Placed, Linear<>> || std::is_same_v<Placed, placed::Conv2d>,
                "eigan::SpectralNorm: takes a Linear or a Conv2d");

 public:
  /// The layer's, where its type states them.
  static constexpr Index input = detail::wrapped_input<L>, output = detail::wrapped_output<L>;

  /// Of a layer whose type states its sizes.
  constexpr SpectralNorm() requires std::is_default_constructible_v<L> : SpectralNorm(L{}) {}
  /// Of any.
  constexpr explicit SpectralNorm(L layer) : layer_(std::move(layer)) {}

  /// The layer's, where it knows them at run time alone.
  constexpr Index input_size() const requires requires(const L& layer) { layer.input_size(); }
  { return layer_.input_size(); }
  constexpr Index output_size() const requires requires(const L& layer) { layer.output_size(); }
  { return layer_.output_size(); }

  constexpr Shape output_shape(Shape in) const { return layer_.output_shape(in); }
  std::string expects() const { return layer_.expects(); }
  Spec spec() const { return {"SpectralNorm", {}, "::eigan::SpectralNorm", {}, {layer_.spec()}}; }
  /// The layer where the input is `in`.
  placed::SpectralNorm<Placed> at(Shape in) const { return {layer_.at(in), output_shape(in)}; }

 private:
  L layer_;
};

static_assert(BlockedLayer<placed::SpectralNorm<Linear<>>> &&
              BlockedLayer<placed::SpectralNorm<placed::Conv2d>, double> &&
              TangentLayer<placed::SpectralNorm<placed::Conv2d>> && PartedLayer<placed::SpectralNorm<Linear<>>> &&
              StatefulLayer<placed::SpectralNorm<placed::Conv2d>> && ShapedLayer<SpectralNorm<Linear<3, 2>>>);

}  // namespace eigan
