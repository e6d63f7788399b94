// Channels: what normalisations of channels share. The channels of a shape in parts of 16, for threads to share, of
// which a call computes up to 64 together, by the row kernels, over the pixels of a batch or of one sample:
//   y = gamma x^ + beta,    x^ = r (x - mean),   r = 1 / sqrt(var + eps)
//   dx = gamma r (dy - mean(dy) - x^ mean(x^ dy)),    dgamma += sum dy x^,    dbeta += sum dy
// The means are computed anew by each function: reading x twice costs less than a place to keep them would.
#pragma once

#include <algorithm>
#include <cmath>

#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/shape.hpp>
#include <eigan/core/spec.hpp>
#include <eigan/core/view.hpp>
#include <eigan/kernels/rows.hpp>

namespace eigan::detail {

/// A number for each channel of a group.
template <class T>
struct Group {
  static constexpr Index most = 64;
  T values[most];
  constexpr T& operator[](Index i) { return values[i]; }
  constexpr const T& operator[](Index i) const { return values[i]; }
};

/// Consecutive channels, which are computed together.
struct Run {
  Index first, count;
};

class Channels {
 public:
  explicit constexpr Channels(Shape shape) : shape_(shape) {}

  constexpr Shape shape() const { return shape_; }
  Index count() const { return shape_.channels; }

  static constexpr Index part = 16;
  Index parts() const { return (count() + part - 1) / part; }
  /// f(run) for the parts [from, to).
  template <class F>
  void for_each_run(Index from, Index to, const F& f) const {
    const Index last = std::min(to * part, count());
    for (Index first = from * part; first < last; first += Group<int>::most)
      f(Run{first, std::min(Group<int>::most, last - first)});
  }

  /// center + rest is the mean.
  template <class T>
  struct Moments {
    Group<T> center, rest, variance;
    T inverse_deviation(Index i, double eps) const { return 1 / std::sqrt(variance[i] + static_cast<T>(eps)); }
  };
  template <class T>
  Moments<T> moments(Run run, const ConstView<T>& x) const {
    Moments<T> m;
    const auto at = place(x, run);
    row_kernels<T>().row_moments(run.count, at.n, at.samples, at.pixels, m.center.values, m.rest.values,
                                 m.variance.values);
    return m;
  }
  /// The means over the same pixels of dy and of dy (x - mean).
  template <class T>
  struct Products {
    Group<T> mean, product;
  };
  template <class T>
  Products<T> products(Run run, const ConstView<T>& x, const Moments<T>& of_x, const ConstView<T>& dy) const {
    Products<T> with{};
    const auto at = place(x, run);
    row_kernels<T>().add_row_products(run.count, at.n, at.samples, at.pixels, of_x.center.values, place(dy, run).pixels,
                                      with.mean.values, with.product.values);
    const T share = 1 / static_cast<T>(at.n * at.samples);
    for (Index i = 0; i < run.count; ++i) {
      with.mean[i] *= share;
      with.product[i] = std::fma(-of_x.rest[i], with.mean[i], with.product[i] * share);
    }
    return with;
  }
  /// Adds the sums over the pixels.
  template <class T>
  void add_sums(Run run, const ConstView<T>& x, T* sums) const {
    constexpr Group<T> zero{};
    Group<T> products{};
    const auto at = place(x, run);
    row_kernels<T>().add_row_products(run.count, at.n, at.samples, at.pixels, zero.values, at.pixels, sums,
                                      products.values);
  }
  /// y = a (x - center) + c.
  template <class T>
  void scale(Run run, const ConstView<T>& x, const T* center, const T* a, const T* c, View<T> y) const {
    const auto at = place(x, run);
    row_kernels<T>().scale_rows(run.count, at.n, at.samples, at.pixels, center, a, c, place(y, run).pixels);
  }
  /// z = a x + b (y - center) + c.
  template <class T>
  void combine(Run run, const ConstView<T>& x, const Group<T>& a, const ConstView<T>& y, const Group<T>& center,
               const Group<T>& b, const Group<T>& c, View<T> z) const {
    const auto at = place(x, run);
    row_kernels<T>().combine_rows(run.count, at.n, at.samples, at.pixels, a.values, place(y, run).pixels, center.values,
                                  b.values, c.values, place(z, run).pixels);
  }

  /// z += b (y - center) + c.
  template <class T>
  void add(Run run, const ConstView<T>& y, const Group<T>& center, const Group<T>& b, const Group<T>& c,
           View<T> z) const {
    Group<T> one;
    std::fill_n(one.values, run.count, T(1));
    combine(run, ConstView<T>(z), one, y, center, b, c, z);
  }

  /// y from x, both whole; gamma and beta are those of the run. Without them they are 1 and 0.
  template <class T>
  void normalise(Run run, const ConstView<T>& x, double eps, const T* gamma, const T* beta, View<T> y) const {
    const Moments<T> m = moments(run, x);
    Group<T> a, c;
    for (Index i = 0; i < run.count; ++i) {
      a[i] = (gamma == nullptr ? 1 : gamma[i]) * m.inverse_deviation(i, eps);
      c[i] = std::fma(-m.rest[i], a[i], beta == nullptr ? 0 : beta[i]);
    }
    scale(run, x, m.center.values, a.values, c.values, y);
  }
  template <class T>
  void normalise_backward(Run run, const ConstView<T>& x, double eps, const T* gamma, const ConstView<T>& dy,
                          View<T> dx) const {
    const Moments<T> m = moments(run, x);
    const Products<T> with = products(run, x, m, dy);
    Group<T> a, b, c;
    for (Index i = 0; i < run.count; ++i) {
      const T r = m.inverse_deviation(i, eps);
      a[i] = (gamma == nullptr ? 1 : gamma[i]) * r;
      b[i] = -a[i] * with.product[i] * (r * r);
      c[i] = std::fma(-b[i], m.rest[i], -a[i] * with.mean[i]);
    }
    combine(run, dy, a, x, m.center, b, c, dx);
  }
  template <class T>
  void add_params(Run run, const ConstView<T>& x, double eps, const ConstView<T>& dy, T* dgamma, T* dbeta) const {
    const Moments<T> m = moments(run, x);
    const Products<T> with = products(run, x, m, dy);
    const auto n = static_cast<T>(x.cols() * shape_.pixels());
    for (Index i = 0; i < run.count; ++i) {
      dgamma[i] = std::fma(n * with.product[i], m.inverse_deviation(i, eps), dgamma[i]);
      dbeta[i] = std::fma(n, with.mean[i], dbeta[i]);
    }
  }

 private:
  /// A batch from a run's first channel on. A vector's samples count as pixels, the kernels' inner loop.
  template <class T>
  struct Place {
    Index n, samples;
    Pixels<T> pixels;
  };
  template <class T>
  Place<T> place(T* data, Index cols, Index stride) const {
    if (shape_.is_vector()) return {cols, 1, {data, stride, 0}};
    return {shape_.pixels(), cols, {data, count(), stride}};
  }
  template <class T>
  Place<const T> place(const ConstView<T>& x, Run run) const {
    return place(x.data() + run.first, x.cols(), x.outerStride());
  }
  template <class T>
  Place<T> place(View<T> x, Run run) const {
    return place(x.data() + run.first, x.cols(), x.outerStride());
  }

  Shape shape_;
};

/// Throws std::invalid_argument unless a normalisation can have `count` features or channels (`stated`: what its type
/// says) and eps.
inline void check_normalisation(const char* name, const char* what, Index stated, Index count, double eps) {
  if (count <= 0 || count > most_size || (stated != dynamic && stated != count))
    fail_contract("eigan::", name, "<", stated_text(stated), ">: cannot have ", count, " ", what,
                  ", expected 1 to 2^31 - 1 and what the type states");
  if (!(is_finite(eps) && eps > 0)) fail_contract("eigan::", name, ": eps must be > 0, is ", eps);
}

}  // namespace eigan::detail
