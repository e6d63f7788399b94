// What revision 6189ee1 wrote: models, checkpoints and C++ sources, before state stood apart from parameters. Two
// networks after five steps of Adam, one with batch normalisation; what they gave then, they give now.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <eigan/eigan.hpp>
#include <eigan/io/checkpoint.hpp>
#include <eigan/io/model_file.hpp>

#include "golden/revision_6189ee1/normalised.hpp"
#include "golden/revision_6189ee1/plain.hpp"
#include "io/support.hpp"

using namespace eigan;
using test::contains;
using test::error_text;

namespace {

using Plain = Sequential<Linear<3, 4>, LeakyReLU, Dropout, Linear<4, 2>, Tanh>;
using Normalised = Sequential<Linear<3, 4>, BatchNorm1d<4>, ReLU, Linear<4, 1>, Sigmoid>;

Model<Plain> plain() {
  return Model<Plain>(Plain{{}, LeakyReLU(0.2), Dropout(0.25), {}, {}}, Rng(9));
}
Model<Normalised> normalised() {
  return Model<Normalised>(Normalised{{}, BatchNorm1d<4>(4, 1e-3), {}, {}, {}}, Rng(9));
}
std::filesystem::path file(const char* name) {
  return std::filesystem::path(EIGAN_GOLDEN_FIXTURES) / "revision_6189ee1" / name;
}

const Matrix<float> x{{1, 0}, {-0.5f, 2}, {0.25f, -1}};
const Matrix<float> y_plain{{0.579618156f, 0.435507745f}, {0.386484683f, 0.231027663f}};
const Matrix<float> y_normalised{{0.507424593f, 0.43803677f}};

template <class M>
void check(const M& model, const Matrix<float>& y) {
  CHECK((model.infer(x) - y).cwiseAbs().maxCoeff() < 1e-6f);
}

}  // namespace

TEST_CASE("revision 6189ee1: models load; statistics that were parameters are state") {
  auto dense = plain();
  load(file("plain.safetensors"), dense);
  check(dense, y_plain);
  auto with_statistics = normalised();
  load(file("normalised.safetensors"), with_statistics);
  check(with_statistics, y_normalised);
  CHECK(with_statistics.state().back() == 1);  // set once
}

TEST_CASE("revision 6189ee1: checkpoints load") {
  auto model = plain();
  Adam<float> adam(model.param_size());
  Ema<float> average(model.params());
  std::int64_t step = 0;
  load_checkpoint(file("plain.checkpoint"), [&](auto visit) {
    visit("model", model), visit("adam", adam), visit("average", average), visit("step", step);
  });
  check(model, y_plain);
  CHECK(adam.steps() == 5);
  CHECK(step == 5);
  CHECK(average.params()[0] == doctest::Approx(-0.129264206));

  auto alone = normalised();
  load_checkpoint(file("normalised_alone.checkpoint"), [&](auto visit) { visit("model", alone), visit("step", step); });
  check(alone, y_normalised);
}

TEST_CASE("revision 6189ee1: moments of statistics have no place any more, and the error says so") {
  auto model = normalised();
  const auto before = model.clone();
  Adam<float> adam(model.param_size());
  Ema<float> average(model.params());
  std::int64_t step = 0;
  const std::string text = error_text([&] {
    load_checkpoint(file("normalised.checkpoint"), [&](auto visit) {
      visit("model", model), visit("adam", adam), visit("average", average), visit("step", step);
    });
  });
  CHECK(contains(text,
                 "tensor 'adam.exp_avg': expected [29], found [37] (written by eigan 0.1.0, when running "
                 "statistics were still parameters)"));
  CHECK(std::ranges::equal(model.params(), before.params()));
  CHECK(std::ranges::equal(model.state(), before.state()));
}

TEST_CASE("revision 6189ee1: C++ sources compile; with statistics among the parameters they are refused") {
  check(revision_6189ee1::plain::model(), y_plain);
  CHECK(error_text<std::invalid_argument>([] { revision_6189ee1::normalised::make_model(); }) ==
        "eigan::Model: the network has 29 parameters, given are 37");
}
