#include <eigan/layers/linear.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "testing/right_layers.hpp"

using namespace faults;
using testing::check_gradients;

namespace {

struct ForgetsTheBias : Affine {
  void backward_params(P, C x, C, C dy, std::span<double> dp) const { weight(dp) += dy * x.transpose(); }
};
struct AssignsInsteadOfAdding : Affine {
  void backward_params(P, C x, C, C dy, std::span<double> dp) const {
    weight(dp) = dy * x.transpose();
    bias(dp) = dy.rowwise().sum();
  }
};
struct AssignsTheBias : Affine {
  void backward_params(P, C x, C, C dy, std::span<double> dp) const {
    weight(dp) += dy * x.transpose();
    bias(dp) = dy.rowwise().sum();
  }
};
struct BlocksAssign : Blocked {
  void backward_params_blocks(P, C x, C, C dy, std::span<double> dp, Index first, Index last) const {
    if (first == 0) weight(dp) = dy * x.transpose();
    if (last == 2) bias(dp) = dy.rowwise().sum();
  }
};
/// Statistics and blocks: y = g (x - mean) + b.
struct BlockedCentre : Centre {
  Index param_size() const { return 4; }
  void init(std::span<double> p, Rng) const { std::fill(p.begin(), p.end(), 1.0); }
  static auto shift(Prepared<double> p) { return Eigen::Map<const Eigen::Vector3d>(p.params.data() + 1); }
  void forward(Prepared<double> p, C x, V y) const {
    Centre::forward(p, x, y);
    y.colwise() += shift(p);
  }
  void forward_parts(Prepared<double> p, C x, V y, Index first, Index last) const {
    Centre::forward_parts(p, x, y, first, last);
    for (Index i = first; i < last; ++i) y.row(i).array() += p.params[static_cast<std::size_t>(1 + i)];
  }
  void backward_params(Prepared<double> p, C x, C y, C dy, std::span<double> dp) const {
    backward_params_blocks(p, x, y, dy, dp, 0, 2);
  }
  Index block_count() const { return 2; }
  std::pair<Index, Index> block_range(Index block) const { return block == 0 ? std::pair{0, 1} : std::pair{1, 4}; }
  void backward_params_blocks(Prepared<double> p, C x, C y, C dy, std::span<double> dp, Index first, Index last) const {
    if (first == 0) Centre::backward_params(p, x, y, dy, dp);
    if (last == 2) Eigen::Map<Eigen::Vector3d>(dp.data() + 1) += dy.rowwise().sum();
  }
};
static_assert(BlockedLayer<BlockedCentre, double> && StatisticsLayer<BlockedCentre, double>);
struct FirstSampleOnly : Affine {
  void backward_params(P, C x, C, C dy, std::span<double> dp) const {
    weight(dp) += dy.col(0) * x.col(0).transpose();
    bias(dp) += dy.col(0);
  }
};
struct WritesBehindDp : Affine {
  void backward_params(P p, C x, C y, C dy, std::span<double> dp) const {
    Affine::backward_params(p, x, y, dy, dp);
    dp.data()[8] += 1;
  }
};
struct ChangesDy : Affine {
  void backward_params(P p, C x, C y, C dy, std::span<double> dp) const {
    Affine::backward_params(p, x, y, dy, dp);
    const_cast<double*>(dy.data())[0] += 1;  // NOLINT(cppcoreguidelines-pro-type-const-cast): that is the fault
  }
};

struct BlocksOverlap : Blocked {
  std::pair<Index, Index> block_range(Index block) const { return block == 0 ? std::pair{0, 7} : std::pair{6, 8}; }
};
struct BlocksStartLate : Blocked {
  std::pair<Index, Index> block_range(Index block) const { return block == 0 ? std::pair{1, 6} : std::pair{6, 8}; }
};
struct BlocksEndEarly : Blocked {
  std::pair<Index, Index> block_range(Index block) const { return block == 0 ? std::pair{0, 6} : std::pair{6, 7}; }
};
struct BlockWritesOutside : Blocked {
  void backward_params_blocks(P p, C x, C y, C dy, std::span<double> dp, Index first, Index last) const {
    Blocked::backward_params_blocks(p, x, y, dy, dp, first, last);
    if (first == 0) dp[7] += 1;
  }
};
struct BlocksMissSomething : Blocked {
  void backward_params_blocks(P p, C x, C y, C dy, std::span<double> dp, Index first, Index last) const {
    if (first == 0) Blocked::backward_params_blocks(p, x, y, dy, dp, first, last);
  }
};
struct OnlyTheFirstBlockOfACall : Blocked {
  void backward_params_blocks(P p, C x, C y, C dy, std::span<double> dp, Index first, Index) const {
    Blocked::backward_params_blocks(p, x, y, dy, dp, first, first + 1);
  }
};

struct Split : Affine {
  Index gradient_splits(Index batch) const { return std::min<Index>(batch, 4); }
};
struct SplitsBeyondTheBatch : Affine {
  Index gradient_splits(Index) const { return 4; }
};
struct SplitsIntoNothing : Affine {
  Index gradient_splits(Index batch) const { return batch / 2; }
};
struct SplitsCoupledSamples : Centre {
  Index gradient_splits(Index batch) const { return std::min<Index>(batch, 4); }
};
/// The gradient of the batch is right, a part of it is divided by another number of samples.
struct SplitsAMean : Split {
  void forward(P p, C x, V y) const { Affine::forward(p, x, y); }
  void backward_params(P p, C x, C y, C dy, std::span<double> dp) const {
    const Matrix<double> scaled = x.cols() == 3 ? Matrix<double>(dy) : Matrix<double>(3 * dy);
    Affine::backward_params(p, x, y, scaled, dp);
  }
};

}  // namespace

TEST_CASE("check_params: what is right passes") {
  passes(check_gradients(Affine{}));
  passes(check_gradients(Blocked{}));
  passes(check_gradients(Split{}));
  passes(check_gradients(BlockedCentre{}));
}

TEST_CASE("check_params: a wrong gradient of the parameters is caught") {
  CHECK(reports(check_gradients(ForgetsTheBias{}), "dparams element 6"));
  CHECK(reports(check_gradients(FirstSampleOnly{}), "dparams element 0, batch 3"));
}

TEST_CASE("check_params: what was assigned instead of added is called so") {
  const auto report = check_gradients(AssignsInsteadOfAdding{});
  CHECK(reports(report, "backward_params: assigned, not added, batch 1"));
  CHECK(report.failures().size() == 2);  // once a batch, and nothing of its elements
  const auto bias = check_gradients(AssignsTheBias{});
  CHECK(reports(bias, "backward_params: assigned, not added, batch 1: some of dparams, element 6 the first"));
  CHECK(bias.failures().size() == 2);
  CHECK(reports(check_gradients(BlocksAssign{}), "backward_params_blocks: assigned, not added, batch 1"));
}

TEST_CASE("check_params: nothing else may be written") {
  CHECK(reports(check_gradients(WritesBehindDp{}), "backward_params: writes outside dp, batch 1"));
  CHECK(reports(check_gradients(ChangesDy{}), "backward_params: changes dy, batch 1"));
}

TEST_CASE("check_params: blocks must be disjoint, complete and independent") {
  CHECK(reports(check_gradients(BlocksOverlap{}), "block 0: its range does not meet the next block's"));
  CHECK(reports(check_gradients(BlocksStartLate{}), "blocks: the first does not start at 0 but at 1"));
  CHECK(reports(check_gradients(BlocksEndEarly{}), "block 1: its range does not meet the next block's"));
  CHECK(reports(check_gradients(BlockWritesOutside{}), "block 0: writes parameter 7 outside its range"));
  CHECK(reports(check_gradients(BlocksMissSomething{}), "blocks: their sum differs from backward_params"));
  CHECK(reports(check_gradients(OnlyTheFirstBlockOfACall{}), "blocks: several in one call differ"));
}

TEST_CASE("check_params: runs of samples must be as many as there can be, and add up") {
  CHECK(reports(check_gradients(SplitsBeyondTheBatch{}), "gradient_splits: cuts 1 samples into 4 runs"));
  CHECK(reports(check_gradients(SplitsIntoNothing{}), "gradient_splits: cuts 1 samples into 0 runs"));
  CHECK(
      reports(check_gradients(SplitsCoupledSamples{}), "gradient_splits: a coupled layer's gradient needs the whole"));
  CHECK(reports(check_gradients(SplitsAMean{}, {.batches = {3}}),
                "gradient_splits: the samples' gradients do not add up to the batch's, batch 3"));
}

TEST_CASE("check_params: large layers are sampled, small ones checked in full") {
  // dx, dparams, and of the tangent: ty, dparams.
  const Linear<50, 60> layer;
  CHECK(check_gradients(layer, {.batches = {3}, .cap = 100}).compared() == 400);
  CHECK(check_gradients(layer, {.batches = {1}, .cap = 100000}).compared() == 50 + 2 * (50 * 60 + 60) + 60);
}
