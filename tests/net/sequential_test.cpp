#include <doctest/doctest.h>
#include <string>
#include <vector>

#include <eigan/layers/dropout.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/sequential.hpp>

#include "support.hpp"

using namespace eigan;

using Small = Sequential<Linear<2, 4>, LeakyReLU, Linear<4, 3>, Tanh>;
static_assert(Small::depth() == 4 && !Small::stochastic);
static_assert(Sequential<Linear<2, 3>, Dropout>::stochastic);
static_assert(std::is_same_v<Small::LayerType<2>, Linear<4, 3>>);
// Without a default for a layer there is none for the network.
static_assert(std::is_default_constructible_v<Small> && !std::is_default_constructible_v<Sequential<Linear<>>>);

TEST_CASE("Sequential: sizes and offsets, layer by layer") {
  const Small net;
  CHECK(net.input_size() == 2);
  CHECK(net.output_size() == 3);
  CHECK(net.param_size() == 2 * 4 + 4 + 4 * 3 + 3);
  const std::vector<Index> features{2, 4, 4, 3, 3}, offsets{0, 12, 12, 27, 27};
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(net.features(i) == features[i]);
    CHECK(net.offset(i) == offsets[i]);
  }
  std::vector<float> params(27);
  CHECK(net.slice<0>(std::span<float>(params)).data() == params.data());
  CHECK(net.slice<0>(std::span<float>(params)).size() == 12);
  CHECK(net.slice<1>(std::span<float>(params)).empty());
  CHECK(net.slice<2>(std::span<float>(params)).data() == params.data() + 12);
  CHECK(net.slice<2>(std::span<float>(params)).size() == 15);
}

TEST_CASE("Sequential: tensors are named as torch.nn.Sequential names them") {
  const auto all = Small{}.parameters();
  REQUIRE(all.size() == 4);
  const auto check = [&](std::size_t i, const std::string& name, Index offset, Index rows, Index cols, int rank) {
    CAPTURE(name);
    CHECK(all[i].name == name);
    CHECK(all[i].offset == offset);
    CHECK(all[i].rows == rows);
    CHECK(all[i].cols == cols);
    CHECK(all[i].rank == rank);
  };
  check(0, "0.weight", 0, 4, 2, 2);
  check(1, "0.bias", 8, 4, 1, 1);
  check(2, "2.weight", 12, 3, 4, 2);
  check(3, "2.bias", 24, 3, 1, 1);
}

TEST_CASE("Sequential: the architecture in one line") {
  CHECK(Small(Linear<2, 4>{}, LeakyReLU(0.2), Linear<4, 3>{}, Tanh{}).architecture() ==
        "Linear(in_features=2, out_features=4), LeakyReLU(negative_slope=0.2), Linear(in_features=4, out_features=3), "
        "Tanh()");
  CHECK(Sequential<Linear<2, 1>>{}.architecture() == "Linear(in_features=2, out_features=1)");
}

TEST_CASE("Sequential: sizes at run time that do not fit are refused, with the place and both numbers") {
  const std::string message =
      "eigan::Sequential: this layer's input size differs from the previous layer's output size: "
      "layer 2, Linear(in_features=5, out_features=3), expects 5 and receives 4";
  CHECK_THROWS_WITH_AS((Sequential<Linear<>, Tanh, Linear<>>(Linear<>(2, 4), Tanh(), Linear<>(5, 3))), message.c_str(),
                       std::invalid_argument);
  CHECK_NOTHROW((Sequential<Linear<>, Tanh, Linear<>>(Linear<>(2, 5), Tanh(), Linear<>(5, 3))));
  // One size in the type, the other at run time.
  CHECK_THROWS_AS((Sequential<Linear<2, 4>, Linear<>>(Linear<2, 4>(), Linear<>(5, 3))), std::invalid_argument);
  CHECK_NOTHROW((Sequential<Linear<2, 4>, Linear<>>(Linear<2, 4>(), Linear<>(4, 3))));
}

TEST_CASE("Sequential: layers in front of the first sized one share its input size") {
  const Sequential<Dropout, Tanh, Linear<7, 3>> net;
  CHECK(net.input_size() == 7);
  for (std::size_t level = 0; level < 3; ++level) CHECK(net.features(level) == 7);
  CHECK(net.output_size() == 3);
}

TEST_CASE("Sequential: a network in which no layer states a size is refused") {
  CHECK_THROWS_WITH_AS((Sequential<Tanh, LeakyReLU>{}), "eigan::Sequential: no layer states a size",
                       std::invalid_argument);
}

TEST_CASE("Sequential: more parameters than an Index can count are refused") {
  constexpr Index most = Index{1} << 31;  // two layers of its square reach 2^63
  using Net = Sequential<Linear<>, Linear<>>;
  CHECK_THROWS_AS(Net(Linear<>(most, most), Linear<>(most, most)), std::invalid_argument);
}

TEST_CASE("Sequential: each layer starts from a stream of its own") {
  const Sequential<Linear<3, 3>, Linear<3, 3>> net;
  std::vector<float> params(24), second(12);
  net.init<float>(params, Rng(5));
  Linear<3, 3>{}.init<float>(second, Rng(5).fold_in(1));
  CHECK(support::same_bits<float>(std::span<float>(params).subspan(12), second));
  CHECK_FALSE(support::same_bits<float>(std::span<float>(params).first(12), second));
}

TEST_CASE("Sequential: layers are visited in order, and backwards") {
  std::vector<std::size_t> forward, backward;
  Small::for_each_layer([&](std::size_t i) { forward.push_back(i); });
  Small::for_each_layer_reversed([&](std::size_t i) { backward.push_back(i); });
  CHECK(forward == std::vector<std::size_t>{0, 1, 2, 3});
  CHECK(backward == std::vector<std::size_t>{3, 2, 1, 0});
}
