#include <limits>

#include <eigan/testing/check_gradients.hpp>

#include "testing/right_layers.hpp"

using namespace faults;
using testing::check_gradients;

namespace {

/// Affine with a list of its tensors.
struct Named : Affine {
  std::vector<Parameter> parameters() const { return {{"weight", 0, 2, 3, 2}, {"bias", 6, 2, 1, 1}}; }
};
struct TensorsOverlap : Affine {
  std::vector<Parameter> parameters() const { return {{"weight", 0, 2, 3, 2}, {"bias", 5, 2, 1, 1}}; }
};
struct TensorsEndEarly : Affine {
  std::vector<Parameter> parameters() const { return {{"weight", 0, 2, 3, 2}}; }
};
struct FileOrderRepeats : Affine {
  std::vector<Parameter> parameters() const { return {{"weight", 0, 2, 3, 2, {2, 3}, {1, 1}}, {"bias", 6, 2, 1, 1}}; }
};
struct FileOrderLeavesOut : Affine {
  std::vector<Parameter> parameters() const { return {{"weight", 0, 2, 3, 2, {2, 2}, {1, 2}}, {"bias", 6, 2, 1, 1}}; }
};
struct InitLeavesTheLast : Affine {
  void init(std::span<double> p, Rng) const { std::fill(p.begin(), p.end() - 1, 0.5); }
};
struct NoOperations : Affine {
  double operations() const { return 0; }
};

struct ParamsWithoutInit {
  static constexpr bool elementwise = true;
  Index param_size() const { return 1; }
  void forward(P, C x, V y) const { y = x; }
  void backward_input(P, C, C, C dy, V dx) const { dx = dy; }
  void backward_params(P, C, C, C, std::span<double>) const {}
};
struct BlocksWithoutRanges : Affine {
  Index block_count() const { return 1; }
  void backward_params_blocks(P p, C x, C y, C dy, std::span<double> dp, Index, Index) const {
    backward_params(p, x, y, dy, dp);
  }
};
struct PartsForwardOnly : Cube {
  Index part_count() const { return 1; }
  void forward_parts(P p, C x, V y, Index, Index) const { forward(p, x, y); }
};
struct CoupledWithoutParts : Cube {
  static constexpr bool coupled = true;
};
struct StateWithoutPrepare : Cube {
  Index state_size() const { return 1; }
  std::vector<Parameter> states() const { return {{"s", 0, 1, 1, 1}}; }
  void init_state(std::span<double> s) const { s[0] = 0; }
};
struct UpdatesNoState : Cube {
  void update_state(P, std::span<double>) const {}
};
struct StatisticsWithoutMerge : Cube {
  void update_statistics(std::span<double>, C, double) const {}
};
struct PreparedWithoutPrepare : Cube {
  Index prepared_size() const { return 1; }
  void forward(Prepared<double>, C x, V y) const { Cube::forward({}, x, y); }
  void backward_input(Prepared<double>, C x, C y, C dy, V dx) const { Cube::backward_input({}, x, y, dy, dx); }
};

struct CoupledAndStochastic : Centre {
  void forward_train(Prepared<double> p, C x, V y, Draw) const { forward(p, x, y); }
  void backward_input_train(Prepared<double> p, C x, C y, C dy, V dx, Draw) const { backward_input(p, x, y, dy, dx); }
};

struct StatesOverlap : Centre {
  std::vector<Parameter> states() const {
    return {{"running_mean", 0, 3, 1, 1}, {"num_batches_tracked", 2, 1, 1, 0, {}, {}, true}};
  }
};
struct StateLeftUnset : Centre {
  void init_state(std::span<double> s) const { std::fill(s.begin() + 1, s.end(), 0.0); }
};
struct MomentumOneMixes : Centre {
  void update_statistics(std::span<double> s, C x, double momentum) const {
    Centre::update_statistics(s, x, momentum * 0.999);
  }
};
struct MomentumOfTheOld : Centre {
  void update_statistics(std::span<double> s, C x, double momentum) const {
    Centre::update_statistics(s, x, momentum == 1 ? 1 : 1 - momentum);
  }
};

struct MergesIntoTheOld : Centre {
  void merge_statistics(std::span<double> s, C x, Index seen) const {
    const double before = s[3];
    Centre::merge_statistics(s, x, seen);
    s[3] = before + 1;
  }
};
struct MergesHalves : Centre {
  void merge_statistics(std::span<double> s, C x, Index seen) const {
    Centre::merge_statistics(s, x, seen == 0 ? 0 : x.cols());
  }
};

}  // namespace

TEST_CASE("check_declared: what is right passes") {
  passes(check_gradients(Named{}));
  passes(check_gradients(Centre{}));
}

TEST_CASE("check_declared: tensors cover the parameters, and a file's order each tensor") {
  CHECK(reports(check_gradients(TensorsOverlap{}), "parameters: 'bias' starts at 5, the one before ends at 6"));
  CHECK(reports(check_gradients(TensorsEndEarly{}), "parameters: they end at 6, there are 8"));
  const std::string order = "parameters: 'weight' in a file's order does not visit each of its 6 elements once";
  CHECK(reports(check_gradients(FileOrderRepeats{}), order));
  CHECK(reports(check_gradients(FileOrderLeavesOut{}), order));
  CHECK(
      reports(check_gradients(StatesOverlap{}), "states: 'num_batches_tracked' starts at 2, the one before ends at 3"));
}

TEST_CASE("check_declared: initial values are set, operations counted") {
  CHECK(reports(check_gradients(InitLeavesTheLast{}), "init: leaves parameters unset"));
  CHECK(reports(check_gradients(StateLeftUnset{}), "init_state: leaves state unset"));
  CHECK(reports(check_gradients(NoOperations{}), "operations: must be at least 1, are 0"));
}

TEST_CASE("check_declared: statistics go as far as their momentum") {
  CHECK(reports(check_gradients(MomentumOneMixes{}), "update_statistics: momentum 1 does not assign 'running_mean'"));
  CHECK(reports(check_gradients(MomentumOfTheOld{}),
                "update_statistics: momentum 0.25 does not go a quarter of the way in 'running_mean'"));
}

TEST_CASE("check_declared: statistics of runs of samples are those of all") {
  CHECK(reports(check_gradients(MergesHalves{}),
                "merge_statistics: two runs of samples do not give the statistics of all in 'running_mean'"));
  CHECK(reports(check_gradients(MergesIntoTheOld{}),
                "merge_statistics: with no samples seen it depends on what the state held before"));
}

TEST_CASE("check_declared: half of a kind is named, not taken for none") {
  CHECK(reports(check_gradients(ParamsWithoutInit{}), "the layer has param_size(), but lacks init or backward_params"));
  CHECK(reports(check_gradients(BlocksWithoutRanges{}), "the layer has block_count(), but lacks block_range or"));
  CHECK(reports(check_gradients(PartsForwardOnly{}), "the layer has part_count(), but lacks forward_parts or"));
  CHECK(reports(check_gradients(CoupledAndStochastic{}), "the layer is coupled and draws random numbers"));
  CHECK(reports(check_gradients(CoupledWithoutParts{}), "the layer has coupled, but lacks its parts"));
  CHECK(reports(check_gradients(UpdatesNoState{}), "the layer has update_state, but lacks a state"));
  CHECK(reports(check_gradients(StatisticsWithoutMerge{}),
                "the layer has update_statistics or merge_statistics, but lacks the other or a state"));
  CHECK(reports(check_gradients(StateWithoutPrepare{}), "the layer has state_size(), but lacks states, init_state or"));
  CHECK(reports(check_gradients(PreparedWithoutPrepare{}), "the layer has prepared_size(), but lacks prepare"));
}
