// InstanceNorm2d: each channel of each image is centred and scaled by its own mean and variance (Ulyanov et al. 2016).
//   y = gamma x^ + beta,    x^ = r (x - mean),   r = 1 / sqrt(var + eps)     x, y: shape x batch;  means over pixels
// Backward:  dx = gamma P dy  with  P v = r (v - mean(v) - x^ mean(x^ v)),   dgamma += sum dy x^,   dbeta += sum dy.
// Tangent:   ty = gamma P tx.  With a = mean(x^ dty), b = mean(x^ tx), c = mean(dty (tx - mean(tx))), n pixels:
//   d<dty, ty> = gamma r^2 ((3 a b - c) x^ - b (dty - mean(dty)) - a (tx - mean(tx))) in x,  n r (c - a b) in gamma.
// As torch.nn.InstanceNorm2d it starts without gamma and beta, and has no running statistics.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/layer.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/layers/channels.hpp>

namespace eigan {
namespace placed {

/// Instance normalisation where it stands.
class InstanceNorm2d {
 public:
  static constexpr Index input = dynamic, output = dynamic;
  static constexpr bool backward_reads_y = false;

  /// Over the pixels of `shape`.
  InstanceNorm2d(Shape shape, double eps, bool affine) : channels_(shape), eps_(eps), affine_(affine) {}

  Index input_size() const { return channels_.shape().size(); }
  Index output_size() const { return channels_.shape().size(); }
  /// x is read twice, y written.
  double operations() const { return 3 * detail::memory_access * static_cast<double>(input_size()); }
  Spec spec() const {
    return {"InstanceNorm2d",
            {{"num_features", channels_.count()}, {"eps", eps_}, {"affine", affine_}},
            detail::concat("::eigan::InstanceNorm2d<", channels_.count(), ">")};
  }

  Index param_size() const { return affine_ ? 2 * channels_.count() : 0; }
  std::vector<Parameter> parameters() const {
    if (!affine_) return {};
    const Index c = channels_.count();
    return {{"weight", 0, c, 1, 1}, {"bias", c, c, 1, 1}};
  }
  template <class T>
  void init(std::span<T> p, Rng) const {
    if (affine_) std::fill_n(std::fill_n(p.data(), channels_.count(), T(1)), channels_.count(), T(0));
  }

  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    forward_parts(p, x, y, 0, part_count());
  }
  template <class T>
  void backward_input(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    backward_input_parts(p, x, y, dy, dx, 0, part_count());
  }
  template <class T>
  void backward_params(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp) const {
    if (affine_)
      for_each(x.cols(), 0, part_count(), [&](Index j, detail::Run run) {
        T* const dgamma = dp.data() + run.first;
        channels_.add_params(run, x.columns(j, 1), eps_, dy.columns(j, 1), dgamma, dgamma + channels_.count());
      });
  }

  // Parts: consecutive channels.

  Index part_count() const { return channels_.parts(); }
  template <class T>
  void forward_parts(std::span<const T> p, ConstView<T> x, View<T> y, Index first, Index last) const {
    for_each(x.cols(), first, last, [&](Index j, detail::Run run) {
      const T* const gamma = gamma_of(p, run);
      channels_.normalise(run, x.columns(j, 1), eps_, gamma, affine_ ? gamma + channels_.count() : nullptr,
                          y.columns(j, 1));
    });
  }
  template <class T>
  void backward_input_parts(std::span<const T> p, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx,
                            Index first, Index last) const {
    for_each(x.cols(), first, last, [&](Index j, detail::Run run) {
      channels_.normalise_backward(run, x.columns(j, 1), eps_, gamma_of(p, run), dy.columns(j, 1), dx.columns(j, 1));
    });
  }

  template <class T>
  void forward_tangent(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> tx, View<T> ty) const {
    backward_input(p, x, y, tx, ty);  // P is symmetric
  }
  template <class T>
  void add_curvature(std::span<const T> p, ConstView<T> x, ConstView<T>, ConstView<T> tx, ConstView<T> dty,
                     View<T> dx) const {
    for_each(x.cols(), 0, part_count(), [&](Index j, detail::Run run) {
      const Second<T> at(*this, run, x.columns(j, 1), tx.columns(j, 1), dty.columns(j, 1));
      const T* const gamma = gamma_of(p, run);
      detail::Group<T> zero{}, of_x, of_tx, of_dty, c_x, c_tx, c_dty;
      for (Index i = 0; i < run.count; ++i) {
        const T scale = (affine_ ? gamma[i] : 1) * at.r[i] * at.r[i];
        of_x[i] = scale * (3 * at.a[i] * at.b[i] - at.c[i]) * at.r[i];
        of_tx[i] = -scale * at.a[i];
        of_dty[i] = -scale * at.b[i];
        c_x[i] = -of_x[i] * at.of_x.rest[i];
        c_tx[i] = -of_tx[i] * at.of_tx.rest[i];
        c_dty[i] = -of_dty[i] * at.with_x.mean[i];
      }
      const View<T> dxj = dx.columns(j, 1);
      channels_.add(run, x.columns(j, 1), at.of_x.center, of_x, c_x, dxj);
      channels_.add(run, tx.columns(j, 1), at.of_tx.center, of_tx, c_tx, dxj);
      channels_.add(run, dty.columns(j, 1), zero, of_dty, c_dty, dxj);
    });
  }
  template <class T>
  void backward_params_tangent(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> tx, ConstView<T> dty,
                               std::span<T> dp) const {
    if (affine_)
      for_each(x.cols(), 0, part_count(), [&](Index j, detail::Run run) {
        const Second<T> at(*this, run, x.columns(j, 1), tx.columns(j, 1), dty.columns(j, 1));
        const auto n = static_cast<T>(channels_.shape().pixels());
        for (Index i = 0; i < run.count; ++i) dp.data()[run.first + i] += n * at.r[i] * (at.c[i] - at.a[i] * at.b[i]);
      });
  }

 private:
  /// f(sample, run) for the parts [first, last).
  template <class F>
  void for_each(Index samples, Index first, Index last, const F& f) const {
    for (Index j = 0; j < samples; ++j) channels_.for_each_run(first, last, [&](detail::Run run) { f(j, run); });
  }
  template <class T>
  const T* gamma_of(std::span<const T> p, detail::Run run) const {
    return affine_ ? p.data() + run.first : nullptr;
  }

  /// What second derivatives are made of, for one sample.
  template <class T>
  struct Second {
    Second(const InstanceNorm2d& layer, detail::Run run, const ConstView<T>& x, const ConstView<T>& tx,
           const ConstView<T>& dty)
        : of_x(layer.channels_.moments(run, x)),
          of_tx(layer.channels_.moments(run, tx)),
          with_x(layer.channels_.products(run, x, of_x, dty)) {
      const auto tangent = layer.channels_.products(run, x, of_x, tx),
                 both = layer.channels_.products(run, tx, of_tx, dty);
      for (Index i = 0; i < run.count; ++i) {
        r[i] = of_x.inverse_deviation(i, layer.eps_);
        a[i] = r[i] * with_x.product[i];
        b[i] = r[i] * tangent.product[i];
        c[i] = both.product[i];
      }
    }
    detail::Channels::Moments<T> of_x, of_tx;
    detail::Channels::Products<T> with_x;
    detail::Group<T> r, a, b, c;
  };

  detail::Channels channels_;
  double eps_;
  bool affine_;
};

}  // namespace placed

/// Instance normalisation of images' channels. `InstanceNorm2d<64>`, or `InstanceNorm2d<>(64)`.
template <Index Channels = dynamic>
class InstanceNorm2d {
  static_assert(Channels > 0 || Channels == dynamic, "eigan::InstanceNorm2d: channels are positive or dynamic");

 public:
  /// The channels that the type states, eps 1e-5, without parameters.
  constexpr InstanceNorm2d() requires(Channels != dynamic) : channels_(Channels) {}
  /// Throws std::invalid_argument unless 0 < channels < 2^31, as the type says where it does, and eps > 0. `affine`:
  /// with gamma and beta.
  explicit InstanceNorm2d(Index channels, double eps = 1e-5, bool affine = false)
      : channels_(channels), eps_(eps), affine_(affine) {
    detail::check_normalisation("InstanceNorm2d", "channels", Channels, channels, eps);
  }

  /// A single pixel has no deviation.
  constexpr Shape output_shape(Shape in) const {
    return in && in.channels == channels_ && !in.is_vector() ? in : Shape{};
  }
  std::string expects() const { return detail::concat(channels_, " channels, more than 1 pixel"); }
  Spec spec() const { return at({channels_}).spec(); }
  /// The layer over the pixels of `in`.
  placed::InstanceNorm2d at(Shape in) const { return {in, eps_, affine_}; }

 private:
  Index channels_;
  double eps_ = 1e-5;
  bool affine_ = false;
};

static_assert(ParametricLayer<placed::InstanceNorm2d> && PartedLayer<placed::InstanceNorm2d> &&
              TangentLayer<placed::InstanceNorm2d, double> && ShapedLayer<InstanceNorm2d<3>>);

}  // namespace eigan
