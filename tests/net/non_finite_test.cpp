#include <doctest/doctest.h>

#include <limits>
#include <span>
#include <vector>

#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/conv2d.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/relu.hpp>
#include <eigan/net/estimate_statistics.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/non_finite.hpp>
#include <eigan/net/sequential.hpp>

TEST_CASE_TEMPLATE("all_finite: finds an infinity or a NaN at any place, and nothing else", T, float, double) {
  using limits = std::numeric_limits<T>;
  std::vector<T> values{0, T(-0.0), limits::max(), limits::lowest(), limits::denorm_min(), limits::min(), 1, -1, 2};
  const auto finite = [&] { return eigan::all_finite(std::span<const T>(values)); };
  CHECK(finite());
  CHECK(eigan::all_finite(std::span<const T>()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (const T bad : {limits::infinity(), -limits::infinity(), limits::quiet_NaN(), -limits::quiet_NaN()}) {
      const T good = values[i];
      values[i] = bad;
      CHECK_FALSE(finite());
      values[i] = good;
    }
  }
}

TEST_CASE("find_non_finite: names the first place, on any number of threads") {
  auto model =
      eigan::Model(eigan::Sequential(eigan::Linear(300, 200), eigan::ReLU(), eigan::Linear(200, 100)), eigan::Rng(1));
  for (const int threads : {1, 2, 3}) CHECK(!eigan::find_non_finite(model, {threads}));
  const auto weight = model.parameters()[2];
  CHECK(weight.name == "2.weight");
  model.params()[static_cast<std::size_t>(weight.offset + 7 * 100 + 42)] = std::numeric_limits<float>::infinity();
  model.params()[model.params().size() - 1] = std::numeric_limits<float>::quiet_NaN();
  for (const int threads : {1, 2, 3}) CHECK(eigan::find_non_finite(model, {threads}) == "2.weight[42, 7] is inf");
  model.params()[static_cast<std::size_t>(weight.offset + 7 * 100 + 42)] = 0;
  CHECK(eigan::find_non_finite(model) == "2.bias[99] is nan");
}

TEST_CASE("find_non_finite: the place is that in a file's tensor") {
  using namespace eigan;
  Model<Sequential<Input<2, 4, 4>, Conv2d<2, 4, 3>>> model(Rng(1));
  // In memory out x (taps x in): output 1 of column 17, the last tap's second channel.
  model.params()[4 * 17 + 1] = std::numeric_limits<float>::quiet_NaN();
  CHECK(find_non_finite(model) == "0.weight[1, 1, 2, 2] is nan");
}

TEST_CASE("find_non_finite: looks at the state as well") {
  using namespace eigan;
  Model<Sequential<Linear<1, 2>, BatchNorm1d<2>>> model(Rng(1));
  auto tape = model.tape(2);
  const Matrix<float> x{{1, std::numeric_limits<float>::infinity()}};
  model.forward(tape, x);
  CHECK(!find_non_finite(model));
  update_statistics(model, tape);
  CHECK(find_non_finite(model)->starts_with("1.running_mean[0] is "));
  model.state()[0] = model.state()[1] = 0;
  CHECK(find_non_finite(model)->starts_with("1.running_var[0] is "));
  model.state()[2] = model.state()[3] = 1;
  CHECK(!find_non_finite(model));
  model.state()[4] = std::numeric_limits<float>::infinity();
  CHECK(find_non_finite(model) == "1.num_batches_tracked is inf");
}
