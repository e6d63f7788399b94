// Fréchet distance between two sets of features, each taken as a Gaussian with its mean and covariance.
//   |mean_a - mean_b|^2 + tr(A + B - 2 sqrt(A B)),   tr sqrt(A B) = tr sqrt( sqrt(A) B sqrt(A) )
// The second form is symmetric, so its eigenvalues are real and, but for rounding, not negative; singular covariances
// are no special case. features: D x n. It holds under the network that the features come from alone.
// Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium", 2017.
#pragma once

#include <algorithm>

#include <eigan/core/eigen.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/core/types.hpp>
#include <eigan/core/view.hpp>
#include <eigan/kernels/gemm.hpp>
#include <eigan/metrics/check_samples.hpp>

#include <Eigen/Eigenvalues>  // behind core/eigen.hpp

namespace eigan::detail {

/// The eigenvalues' roots, those that rounding made negative taken as 0, and the vectors where they are asked for.
struct EigenRoots {
  Eigen::VectorXd roots;
  Matrix<double> vectors;
};
inline EigenRoots eigen_roots(const Matrix<double>& symmetric, bool with_vectors) {
  const Eigen::SelfAdjointEigenSolver<Matrix<double>> solver(
      symmetric, with_vectors ? Eigen::ComputeEigenvectors : Eigen::EigenvaluesOnly);
  if (solver.info() != Eigen::Success)
    fail_data("eigan::metrics::frechet_distance: the eigenvalues of a covariance did not converge");
  return {solver.eigenvalues().cwiseMax(0).cwiseSqrt(), with_vectors ? solver.eigenvectors() : Matrix<double>()};
}

/// a b^T by the library's own product: Eigen's would be cut by the number of threads, and so might its last bits.
inline Matrix<double> outer_product(const Matrix<double>& a, const Matrix<double>& b) {
  Matrix<double> product = Matrix<double>::Zero(a.rows(), b.rows());
  gemm::add_outer<double>(a, b, View<double>(product));
  return product;
}

}  // namespace eigan::detail

namespace eigan::metrics {

/// What the distance needs to know of a set, computed once for a reference that many sets are compared with.
struct GaussianStatistics {
  Eigen::VectorXd mean;       ///< D
  Matrix<double> covariance;  ///< D x D, with the divisor n - 1
};

/// Of at least two samples.
inline GaussianStatistics gaussian_statistics(ConstView<float> features, Threads threads = {}) {
  detail::check_samples("gaussian_statistics", "features", features, 2);
  const Index size = features.rows(), n = features.cols();
  GaussianStatistics result{Eigen::VectorXd::Zero(size), Matrix<double>::Zero(size, size)};
  for (Index j = 0; j < n; ++j) result.mean += features.col(j).cast<double>();
  result.mean /= static_cast<double>(n);

  const Matrix<double> centred = features.cast<double>().colwise() - result.mean;
  constexpr Index strip = 32;
  const double work = 2.0 * static_cast<double>(size) * static_cast<double>(features.size());
  detail::parallel_for((size + strip - 1) / strip, work, threads, [&](Index i) {
    const Index first = i * strip, count = std::min(strip, size - first);
    const ConstView<double> rows(centred.data() + first, count, n, size);
    gemm::add_outer<double>(centred, rows, View<double>(result.covariance).columns(first, count));
  });
  result.covariance /= static_cast<double>(n - 1);
  return result;
}

/// Between two such Gaussians. Throws Error for what is not finite.
inline double frechet_distance(const GaussianStatistics& a, const GaussianStatistics& b) {
  for (const auto* s : {&a, &b}) {
    if (s->mean.size() != a.mean.size() || s->covariance.rows() != a.mean.size() ||
        s->covariance.cols() != a.mean.size())
      detail::fail_contract("eigan::metrics::frechet_distance: expected means of ", a.mean.size(),
                            " features and their covariances, got ", s->mean.size(), " and ", s->covariance.rows(),
                            " x ", s->covariance.cols());
    const auto finite = [](double x) { return detail::is_finite(x); };
    if (!s->mean.unaryExpr(finite).all() || !s->covariance.unaryExpr(finite).all())
      detail::fail_data("eigan::metrics::frechet_distance: expected finite means and covariances, found others");
  }
  const auto [roots, vectors] = detail::eigen_roots(a.covariance, true);
  const Matrix<double> root = detail::outer_product(vectors * roots.asDiagonal(), vectors);
  // Both factors are symmetric: a product with their transpose is a product with themselves.
  const Matrix<double> inner = detail::outer_product(detail::outer_product(root, b.covariance), root);
  const double trace_of_root = detail::eigen_roots(inner, false).roots.sum();
  const double distance =
      (a.mean - b.mean).squaredNorm() + a.covariance.trace() + b.covariance.trace() - 2 * trace_of_root;
  return std::max(distance, 0.0);  // equal sets may come out as -1e-15
}

/// Between two sets of at least two samples.
inline double frechet_distance(ConstView<float> a, ConstView<float> b, Threads threads = {}) {
  detail::check_same_features("frechet_distance", "a", a, "b", b);
  return frechet_distance(gaussian_statistics(a, threads), gaussian_statistics(b, threads));
}

}  // namespace eigan::metrics
