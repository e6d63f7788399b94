#include <doctest/doctest.h>

#include <utility>

#include <eigan/eigan.hpp>
#include <eigan/net/runtime/network.hpp>

#include "../support.hpp"

using namespace eigan;

TEST_CASE("copy_parameters: parameters and state, to the last bit, between models of the same layers") {
  using Net = Sequential<Linear<3, 4>, BatchNorm1d<4>, Tanh, Linear<4, 2>>;
  Model<Net> online(Rng(1)), target(Rng(2));
  estimate_statistics(online, support::random_matrix<float>(3, 50, 1));
  copy_parameters(online, target);
  CHECK(support::same_bits(std::as_const(online).params(), std::as_const(target).params()));
  CHECK(support::same_bits(std::as_const(online).state(), std::as_const(target).state()));
  CHECK(online.params().data() != target.params().data());
  const auto x = support::random_matrix<float>(3, 5, 2);
  CHECK(online.infer(x) == target.infer(x));

  Network net;  // the same layers, put together at run time
  net.add(Linear(3, 4)).add(BatchNorm1d<>(4)).add(Tanh()).add(Linear(4, 2));
  Model<Network> at_run_time(net, Rng(3));
  copy_parameters<float>(online, at_run_time);
  CHECK(at_run_time.infer(x) == online.infer(x));
}

TEST_CASE("copy_parameters: samples of another height and width, but no other layers") {
  const Sequential net(Conv2d<>(1, 2, 3, 1, 1), ReLU(), Conv2d<>(2, 1, 3, 1, 1));
  const Model small(net, Shape{1, 4, 4}, Rng(1));
  Model large(net, Shape{1, 6, 8}, Rng(2));
  copy_parameters<float>(small, large);
  CHECK(support::same_bits(small.params(), std::as_const(large).params()));

  const Model<Sequential<Linear<3, 4>, Tanh, Linear<4, 2>>> tanh(Rng(1));
  Model<Sequential<Linear<3, 4>, ReLU, Linear<4, 2>>> relu(Rng(2));
  const auto before = support::copy_of(std::as_const(relu).params());
  CHECK_THROWS_WITH_AS(copy_parameters<float>(tanh, relu),
                       "eigan::copy_parameters: expected a model of 'Linear(in_features=3, out_features=4), ReLU(), "
                       "Linear(in_features=4, out_features=2)', got one of 'Linear(in_features=3, out_features=4), "
                       "Tanh(), Linear(in_features=4, out_features=2)'",
                       std::invalid_argument);
  CHECK(support::copy_of(std::as_const(relu).params()) == before);
}
