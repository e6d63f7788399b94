#include <doctest/doctest.h>

#include <eigan/kernels/rows.hpp>

#include "kernels/candidates.hpp"
#define EIGAN_KERNELS <eigan/kernels/rows.inc>
#include "kernels/sixty_four_bytes.inc"

using namespace kernel_tests;

namespace {

struct Extents {
  Index pixels, samples;
};
using Array = Eigen::Array<double, Eigen::Dynamic, 1>;

// Samples of n pixels of m rows, padding behind each pixel and each sample.
template <class T>
class Images {
 public:
  Images(Index m, Index n, Index samples, Index padding, Index spare, double fill)
      : m_(m), n_(n), samples_(samples), pixel_(m + padding), sample_(n * pixel_ + spare), memory_(sample_, samples) {
    memory_.setConstant(static_cast<T>(fill));
  }
  Images(const Images& like, double fill) : Images(like) { memory_.setConstant(static_cast<T>(fill)); }

  detail::Pixels<T> pixels() { return {memory_.data(), pixel_, sample_}; }
  detail::Pixels<const T> read() const { return {memory_.data(), pixel_, sample_}; }
  T& operator()(Index i, Index j, Index s) { return memory_(i + j * pixel_, s); }
  // Rows x (pixels of all samples), and the numbers that are none of them.
  Matrix<double> values() const {
    Matrix<double> all(m_, n_ * samples_);
    for (Index s = 0; s < samples_; ++s)
      for (Index j = 0; j < n_; ++j)
        for (Index i = 0; i < m_; ++i) all(i, s * n_ + j) = static_cast<double>(memory_(i + j * pixel_, s));
    return all;
  }
  void fill_random(std::uint64_t seed) {
    const Matrix<double> numbers = support::random_matrix<double>(m_, n_ * samples_, seed, -8, 8).array().round();
    for (Index s = 0; s < samples_; ++s)
      for (Index j = 0; j < n_; ++j)
        for (Index i = 0; i < m_; ++i) (*this)(i, j, s) = static_cast<T>(numbers(i, s * n_ + j));
  }
  bool marks_stand() const {
    for (Index s = 0; s < samples_; ++s)
      for (Index k = 0; k < sample_; ++k)
        if ((k / pixel_ >= n_ || k % pixel_ >= m_) && memory_(k, s) != static_cast<T>(mark)) return false;
    return true;
  }

 private:
  Index m_, n_, samples_, pixel_, sample_;
  Matrix<T> memory_;
};

}  // namespace

TEST_CASE("kernels: moments and products of rows, and rows scaled and combined") {
  const auto check = []<class T>(T) {
    const double tolerance = sizeof(T) == sizeof(float) ? 1e-5 : 1e-13;
    const Extents extents[] = {{1, 1}, {2, 1}, {5, 1}, {64, 1}, {1, 3}, {7, 3}, {300, 2}, {6, 20}};
    for (const Index m : {1, 3, 4, 7, 8, 9, 15, 16, 17, 33, 64, 67})
      for (const Extents& extent : extents) {
        const Index n = extent.pixels, samples = extent.samples;
        Images<T> x(m, n, samples, 3, 5, kernel_tests::nan), dy(m, n, samples, 5, 1, kernel_tests::nan);
        x.fill_random(1);
        dy.fill_random(2);
        const Matrix<double> xd = x.values(), dyd = dy.values();
        const Array mean = xd.rowwise().mean(), a = Array::LinSpaced(m, -2, 3), b = Array::LinSpaced(m, 1, 2),
                    c = Array::LinSpaced(m, 5, 4), center = Array::LinSpaced(m, -1, 1);
        const Matrix<double> from_mean = xd.colwise() - mean.matrix(), from_center = xd.colwise() - center.matrix();
        const Array variance = from_mean.array().square().rowwise().mean();
        const Matrix<T> center_t = center.cast<T>(), at = a.cast<T>(), bt = b.cast<T>(), ct = c.cast<T>();
        for (const auto& candidate : candidates<detail::RowKernels<T>>()) {
          INFO(candidate.name, ": ", m, " x ", n, " x ", samples);
          const auto near = [&](const Matrix<double>& found, const Matrix<double>& expected) {
            const double scale = 1 + expected.cwiseAbs().maxCoeff();
            REQUIRE((found - expected).cwiseAbs().maxCoeff() <= tolerance * scale);
          };
          const auto near_rows = [&](Padded<T>& found, const Array& expected) {
            near(found.view().template cast<double>(), expected.matrix());
            REQUIRE((found.memory().bottomRows(3).array() == static_cast<T>(mark)).all());
          };
          const auto near_pixels = [&](const Images<T>& found, const Matrix<double>& expected) {
            near(found.values(), expected);
            REQUIRE(found.marks_stand());
          };
          Padded<T> first(m, 1, 3, mark), second(m, 1, 3, mark), third(m, 1, 3, mark);
          candidate.table->row_moments(m, n, samples, x.read(), first.data(), second.data(), third.data());
          near_rows(third, variance);
          third.view() += first.view() - third.view() + second.view();
          near_rows(third, mean);
          first.view().setConstant(T(2));
          second.view().setConstant(T(3));
          candidate.table->add_row_products(m, n, samples, x.read(), center_t.data(), dy.read(), first.data(),
                                            second.data());
          near_rows(first, dyd.rowwise().sum().array() + 2);
          near_rows(second, dyd.cwiseProduct(from_center).rowwise().sum().array() + 3);
          Images<T> result(m, n, samples, 3, 2, mark);
          candidate.table->scale_rows(m, n, samples, x.read(), center_t.data(), at.data(), ct.data(), result.pixels());
          near_pixels(result, (from_center.array().colwise() * a).colwise() + c);
          candidate.table->combine_rows(m, n, samples, dy.read(), at.data(), x.read(), center_t.data(), bt.data(),
                                        ct.data(), result.pixels());
          near_pixels(result, (dyd.array().colwise() * a + from_center.array().colwise() * b).colwise() + c);
        }
      }
  };
  check(1.f);
  check(1.0);
}

TEST_CASE("kernels: a row's numbers are the same however many rows a call has") {
  constexpr Index m = 67, n = 37, samples = 9;
  Images<float> x(m, n, samples, 1, 3, kernel_tests::nan), dy(m, n, samples, 1, 3, kernel_tests::nan);
  x.fill_random(3);
  dy.fill_random(4);
  for (Index s = 0; s < samples; ++s)
    for (Index i = 0; i < m; ++i) x(i, 0, s) += 0.1f;  // sums that round
  for (const auto& candidate : candidates<detail::RowKernels<float>>()) {
    INFO(candidate.name);
    Matrix<float> all(m, 5), each(m, 5);
    for (Matrix<float>* sums : {&all, &each}) {
      sums->setZero();
      const Index step = sums == &all ? m : 16;
      for (Index i = 0; i < m; i += step) {
        const Index rows = std::min(step, m - i);
        const auto from = [&](detail::Pixels<const float> p) {
          return detail::Pixels<const float>{p.data + i, p.pixel, p.sample};
        };
        candidate.table->row_moments(rows, n, samples, from(x.read()), &(*sums)(i, 0), &(*sums)(i, 1), &(*sums)(i, 2));
        candidate.table->add_row_products(rows, n, samples, from(x.read()), &(*sums)(i, 0), from(dy.read()),
                                          &(*sums)(i, 3), &(*sums)(i, 4));
      }
    }
    CHECK(support::same_bits(all, each));
  }
}

TEST_CASE("kernels: a large mean costs no digits of the rest") {
  // The first sample lies far from the others: the centre taken from it is the worst that there can be.
  constexpr Index m = 20, n = 100, samples = 16;
  for (const double outlier : {0.0, 100.0}) {
    Images<float> x(m, n, samples, 0, 0, 0);
    for (Index s = 0; s < samples; ++s)
      for (Index j = 0; j < n; ++j)
        for (Index i = 0; i < m; ++i)
          x(i, j, s) =
              static_cast<float>(1e4 + (s == 0 ? outlier : 0) + 0.125 * static_cast<double>((i + 3 * j + 7 * s) % 9));
    const Matrix<double> xd = x.values();
    const Array mean = xd.rowwise().mean();
    const Array variance = (xd.colwise() - mean.matrix()).array().square().rowwise().mean();
    for (const auto& candidate : candidates<detail::RowKernels<float>>()) {
      INFO(candidate.name);
      Matrix<float> found(m, 3);
      candidate.table->row_moments(m, n, samples, x.read(), found.col(0).data(), found.col(1).data(),
                                   found.col(2).data());
      const Matrix<double> f = found.cast<double>();
      CHECK(((f.col(0) + f.col(1)).array() - mean).abs().maxCoeff() < 1e-6 * (1 + outlier));
      CHECK((f.col(2).array() / variance - 1).abs().maxCoeff() < (outlier > 0 ? 4e-5 : 2e-6));
    }
  }
}
