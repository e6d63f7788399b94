// What the tests of the checks share: layers that are right, for each fault to change one thing, and a look at reports.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <eigan/core/layer.hpp>
#include <eigan/testing/report.hpp>

namespace faults {

using namespace eigan;
using P = std::span<const double>;
using C = ConstView<double>;
using V = View<double>;

/// Whether a report names this fault. Other lines may follow from it.
inline bool reports(const testing::Report& report, const std::string& fault) {
  INFO("expected: ", fault, "\n", report.text());
  const bool named = std::any_of(report.failures().begin(), report.failures().end(),
                                 [&](const std::string& line) { return line.find(fault) != std::string::npos; });
  CHECK(named);
  return named && !report.ok();
}
inline void passes(const testing::Report& report) {
  INFO(report.text());
  CHECK(report.ok());
  CHECK(report.text().empty());
  CHECK(report.compared() >= 16);
  CHECK(report.worst() < 1e-5);
}

/// y = x^3.
struct Cube {
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_y = false;
  void forward(P, C x, V y) const { y = x.array().cube().matrix(); }
  void backward_input(P, C x, C, C dy, V dx) const { dx = 3 * x.array().square() * dy.array(); }
};

/// y = w x + b.
struct Affine {
  static constexpr Index input = 3, output = 2;
  static constexpr bool backward_reads_y = false;
  Index param_size() const { return 8; }
  void init(std::span<double> p, Rng) const { std::fill(p.begin(), p.end(), 0.5); }
  static Eigen::Map<const Matrix<double>> weight(P p) { return {p.data(), 2, 3}; }
  static Eigen::Map<Matrix<double>> weight(std::span<double> p) { return {p.data(), 2, 3}; }
  static Eigen::Map<const Matrix<double>> bias(P p) { return {p.data() + 6, 2, 1}; }
  static Eigen::Map<Matrix<double>> bias(std::span<double> p) { return {p.data() + 6, 2, 1}; }
  void forward(P p, C x, V y) const { y = (weight(p) * x).colwise() + bias(p).col(0); }
  void backward_input(P p, C, C, C dy, V dx) const { dx = weight(p).transpose() * dy; }
  void backward_params(P, C x, C, C dy, std::span<double> dp) const {
    weight(dp) += dy * x.transpose();
    bias(dp) += dy.rowwise().sum();
  }
};

/// Affine in two blocks, weight and bias.
struct Blocked : Affine {
  Index block_count() const { return 2; }
  std::pair<Index, Index> block_range(Index block) const { return block == 0 ? std::pair{0, 6} : std::pair{6, 8}; }
  void backward_params_blocks(P, C x, C, C dy, std::span<double> dp, Index first, Index last) const {
    if (first == 0) weight(dp) += dy * x.transpose();
    if (last == 2) bias(dp) += dy.rowwise().sum();
  }
};
static_assert(BlockedLayer<Blocked, double>);

/// y = 2 x for 4 features in 4 parts.
struct Parted {
  static constexpr Index input = 4, output = 4;
  static constexpr bool backward_reads_x = false, backward_reads_y = false;
  void forward(P, C x, V y) const { y = 2 * x; }
  void backward_input(P, C, C, C dy, V dx) const { dx = 2 * dy; }
  Index part_count() const { return 4; }
  void forward_parts(P, C x, V y, Index first, Index last) const {
    y.middleRows(first, last - first) = 2 * x.middleRows(first, last - first);
  }
  void backward_input_parts(P, C, C, C dy, V dx, Index first, Index last) const {
    dx.middleRows(first, last - first) = 2 * dy.middleRows(first, last - first);
  }
};
static_assert(PartedLayer<Parted, double>);

/// Centres each feature: in training by the batch's mean, which couples the samples, at inference by a mean that is
/// kept. y = g (x - mean), g a parameter; what is prepared is (g, mean).
struct Centre {
  static constexpr Index input = 3, output = 3;
  static constexpr bool backward_reads_x = true, backward_reads_y = false;
  static constexpr bool coupled = true;
  Index param_size() const { return 1; }
  void init(std::span<double> p, Rng) const { p[0] = 1; }
  Index state_size() const { return 4; }
  std::vector<Parameter> states() const {
    return {{"running_mean", 0, 3, 1, 1}, {"num_batches_tracked", 3, 1, 1, 0, {}, {}, true}};
  }
  void init_state(std::span<double> s) const { std::fill(s.begin(), s.end(), 0.0); }
  void update_statistics(std::span<double> s, C x, double momentum) const {
    for (Index i = 0; i < 3; ++i) {
      double& mean = s[static_cast<std::size_t>(i)];
      mean = momentum == 1 ? x.row(i).mean() : mean + momentum * (x.row(i).mean() - mean);
    }
    s[3] += 1;
  }
  void merge_statistics(std::span<double> s, C x, Index seen) const {
    const auto before = static_cast<double>(seen), more = static_cast<double>(x.cols());
    for (Index i = 0; i < 3; ++i) {
      double& mean = s[static_cast<std::size_t>(i)];
      mean += more / (before + more) * (x.row(i).mean() - mean);
    }
    s[3] = 1;
  }
  Index prepared_size() const { return 4; }
  void prepare(P p, P s, std::span<double> q, Phase phase) const {
    q[0] = p[0];
    if (phase == Phase::inference) std::copy_n(s.begin(), 3, q.begin() + 1);
  }
  void forward(Prepared<double> p, C x, V y) const {
    y = p.prepared[0] * (x.colwise() - Eigen::Map<const Eigen::Vector3d>(p.prepared.data() + 1));
  }
  void backward_input(Prepared<double> p, C, C, C dy, V dx) const { dx = p.prepared[0] * dy; }
  Index part_count() const { return 3; }
  void forward_parts(Prepared<double> p, C x, V y, Index first, Index last) const {
    for (Index i = first; i < last; ++i) y.row(i) = p.prepared[0] * (x.row(i).array() - x.row(i).mean());
  }
  void backward_input_parts(Prepared<double> p, C, C, C dy, V dx, Index first, Index last) const {
    for (Index i = first; i < last; ++i) dx.row(i) = p.prepared[0] * (dy.row(i).array() - dy.row(i).mean());
  }
  void backward_params(Prepared<double>, C x, C, C dy, std::span<double> dp) const {
    for (Index i = 0; i < 3; ++i) dp[0] += (dy.row(i).array() * (x.row(i).array() - x.row(i).mean())).sum();
  }
};
static_assert(BatchCoupledLayer<Centre, double> && StatisticsLayer<Centre, double> && ParametricLayer<Centre, double>);

/// y = w x with a w of its own, prepared once a pass.
struct Normalised {
  static constexpr Index input = 2, output = 2;
  static constexpr bool backward_reads_x = false, backward_reads_y = false;
  Index prepared_size() const { return 4; }
  void prepare(P, P, std::span<double> q, Phase) const {
    std::copy_n(std::array{0.5, 0.5, -0.5, 0.5}.begin(), 4, q.begin());
  }
  static Eigen::Map<const Matrix<double>> weight(Prepared<double> p) { return {p.prepared.data(), 2, 2}; }
  void forward(Prepared<double> p, C x, V y) const { y = weight(p) * x; }
  void backward_input(Prepared<double> p, C, C, C dy, V dx) const { dx = weight(p).transpose() * dy; }
};
static_assert(PreparedLayer<Normalised, double> && Layer<Normalised, double>);

/// y = x^2 w, w a matrix of 2 x 3: curved in x, with parameters, not element-wise.
struct SquaredAffine {
  static constexpr Index input = 3, output = 2;
  static constexpr bool backward_reads_y = false;
  Index param_size() const { return 6; }
  void init(std::span<double> p, Rng) const { std::fill(p.begin(), p.end(), 0.5); }
  static Eigen::Map<const Matrix<double>> weight(P p) { return {p.data(), 2, 3}; }
  static Eigen::Map<Matrix<double>> weight(std::span<double> p) { return {p.data(), 2, 3}; }
  void forward(P p, C x, V y) const { y = weight(p) * x.array().square().matrix(); }
  void backward_input(P p, C x, C, C dy, V dx) const {
    dx = (2 * x.array() * (weight(p).transpose() * dy).array()).matrix();
  }
  void backward_params(P, C x, C, C dy, std::span<double> dp) const {
    weight(dp) += dy * x.array().square().matrix().transpose();
  }
  void forward_tangent(P p, C x, C, C tx, V ty) const { ty = weight(p) * (2 * x.array() * tx.array()).matrix(); }
  void add_curvature(P p, C, C, C tx, C dty, V dx) const {
    dx += (2 * tx.array() * (weight(p).transpose() * dty).array()).matrix();
  }
  void backward_params_tangent(P, C x, C, C tx, C dty, std::span<double> dp) const {
    weight(dp) += dty * (2 * x.array() * tx.array()).matrix().transpose();
  }
};
static_assert(TangentLayer<SquaredAffine, double>);

/// An image's pixels, each times 3, in a layer that is placed.
struct PlacedTriple {
  static constexpr Index input = dynamic, output = dynamic;
  static constexpr bool backward_reads_x = false, backward_reads_y = false;
  Index size;
  Index input_size() const { return size; }
  Index output_size() const { return size; }
  void forward(P, C x, V y) const { y = 3 * x; }
  void backward_input(P, C, C, C dy, V dx) const { dx = 3 * dy; }
  Spec spec() const { return {"Triple"}; }
};
struct Triple {
  Shape output_shape(Shape in) const { return in.channels == 2 ? in : Shape{}; }
  PlacedTriple at(Shape in) const { return {in.size()}; }
  Spec spec() const { return {"Triple"}; }
  std::string expects() const { return "2 channels"; }
};
static_assert(ShapedLayer<Triple> && !Layer<Triple, double>);

}  // namespace faults
