#include <stdexcept>

#include <eigan/layers/linear.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "testing/right_layers.hpp"

using namespace faults;
using testing::check_gradients;

// What each check finds is in the tests of their names: here, how layers get to them.
namespace {

struct PlacedWrong : Triple {
  PlacedTriple at(Shape in) const { return {in.size() + 1}; }
};
struct SaysAnotherShape : Triple {
  Shape output_shape(Shape in) const { return {in.channels + 1, in.height, in.width}; }
};
struct AnotherSpec : Triple {
  Spec spec() const { return {"Twice"}; }
};
struct PlacedHalves : PlacedTriple {
  void backward_input(P, C, C, C dy, V dx) const { dx = 1.5 * dy; }
};
struct Halves : Triple {
  PlacedHalves at(Shape in) const { return {{in.size()}}; }
};

struct PreparesAnotherInference : Normalised {
  void prepare(P p, P s, std::span<double> q, Phase phase) const {
    Normalised::prepare(p, s, q, phase);
    if (phase == Phase::inference) q[0] = 0.25;
  }
};
struct PreparesTooMuchAtInference : Normalised {
  void prepare(P p, P s, std::span<double> q, Phase phase) const {
    Normalised::prepare(p, s, q, phase);
    if (phase == Phase::inference) q.data()[4] = 0;
  }
};

}  // namespace

TEST_CASE("check_gradients: a layer that knows images is placed") {
  const auto report = check_gradients(Triple{}, {.shape = {2, 3, 4}});
  passes(report);
  CHECK(report.compared() == 24 + 3 * 24);
  passes(check_gradients(Triple{}, {.features = 2, .batches = {12}}));
  CHECK(reports(check_gradients(Halves{}, {.shape = {2, 3, 4}}), "dx element 0, batch 1"));
}

TEST_CASE("check_gradients: a shape that the layer does not take is refused in its words") {
  CHECK_THROWS_WITH_AS(
      check_gradients(Triple{}),
      "eigan::testing::check_gradients: the layer takes no sample of 5 x 1 x 1, it expects 2 channels; "
      "choose the option shape",
      std::invalid_argument);
  CHECK_THROWS_WITH_AS(check_gradients(Affine{}, {.shape = {2, 3, 4}}),
                       "eigan::testing::check_gradients: the layer takes 3 numbers, not 24", std::invalid_argument);
}

TEST_CASE("check_gradients: the placed layer is of the shape that was asked for, and describes itself the same") {
  CHECK(reports(check_gradients(PlacedWrong{}, {.shape = {2, 3, 4}}), "at: the layer placed at 2 x 3 x 4 takes 25"));
  CHECK(reports(check_gradients(SaysAnotherShape{}, {.shape = {2, 3, 4}}),
                "at: the layer placed at 2 x 3 x 4 gives 24 numbers, output_shape says 3 x 3 x 4"));
  CHECK(reports(check_gradients(AnotherSpec{}, {.shape = {2, 3, 4}}),
                "spec: Twice() becomes Triple() where it is placed"));
}

TEST_CASE("check_gradients: a layer that does the same in both phases does so with what is prepared for each") {
  CHECK(check_gradients(Normalised{}).ok());
  CHECK(reports(check_gradients(PreparesAnotherInference{}),
                "prepare: the output at inference differs from that in training, batch 1"));
  CHECK(reports(check_gradients(PreparesTooMuchAtInference{}), "prepare: writes outside q, batch 1, at inference"));
}

TEST_CASE("check_gradients: other layers take a shape for its size") {
  CHECK(check_gradients(Cube{}, {.shape = {2, 3, 4}, .batches = {1}}).compared() == 24);
  passes(check_gradients(Linear<24, 2>{}, {.features = 24}));
  passes(check_gradients(Linear<24, 2>{}, {.shape = {24}}));
}
