#include <doctest/doctest.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/conv2d.hpp>
#include <eigan/layers/conv_transpose2d.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/instance_norm2d.hpp>
#include <eigan/layers/layer_norm.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/max_pool2d.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/layers/upsample.hpp>
#include <eigan/net/basic_model.hpp>
#include <eigan/net/steps.hpp>

#include "net/gradient_check.hpp"
#include "net/networks.hpp"
#include "net/own_images.hpp"
#include "net/own_layers.hpp"
#include "net/random_steps.hpp"
#include "support.hpp"

using namespace eigan;

using Levels = std::vector<std::size_t>;

TEST_CASE("Steps: levels, offsets and kinds") {
  Steps<float> net({Shape{2, 2, 2}, Shape{3}});
  CHECK(net.inputs() == 2);
  const auto a = net.add(own::Pointwise<2, 3>(), 0, "a");
  const auto b = net.add(BatchNorm2d<3>(), a, "b");
  const auto c = net.sum({a, b}, "c");
  const auto d = net.concatenate({c, 1, a}, "d");
  const auto e = net.add(Dropout(), d, "e");
  const auto f = net.add(BatchNorm2d<9>(), e, "f");
  CHECK(Levels{a, b, c, d, e, f} == Levels{2, 3, 4, 5, 6, 7});
  CHECK(net.levels() ==
        std::vector<Shape>{{2, 2, 2}, {3}, {3, 2, 2}, {3, 2, 2}, {3, 2, 2}, {9, 2, 2}, {9, 2, 2}, {9, 2, 2}});
  REQUIRE(net.steps().size() == 6);
  CHECK(net.steps()[3].kind == StepKind::concatenation);
  CHECK(net.steps()[3].reads == Levels{c, 1, a});
  CHECK(net.steps()[2].kind == StepKind::sum);
  CHECK(net.steps()[2].writes == c);
  CHECK(net.steps()[1].kind == StepKind::layer);
  CHECK(net.steps()[1].offset == 6);
  CHECK(net.steps()[1].size == 6);
  CHECK(net.steps()[1].state_offset == 0);
  CHECK(net.steps()[1].state_size == 7);
  CHECK(net.steps()[5].offset == 12);
  CHECK(net.steps()[5].state_offset == 7);
  CHECK(net.steps()[5].prepared_offset == net.steps()[1].prepared_size);
  CHECK(net.param_size() == 12 + 18);
  CHECK(net.state_size() == 7 + 19);
  CHECK(net.prepared_size() == 6 + 18);
  CHECK(net.stochastic());
  CHECK(net.readers(0) == 1);
  CHECK(net.readers(a) == 3);
  CHECK(net.readers(f) == 0);
  CHECK_FALSE(net.steps()[2].traits().elementwise);
  CHECK(net.steps()[2].part_count() == 1);
  CHECK(net.steps()[2].spec() == Spec{"sum"});
  CHECK(net.steps()[3].spec() == Spec{"concatenation"});
  CHECK(net.steps()[4].spec() == Dropout().spec());

  const auto tensors = net.parameters(), states = net.states();
  REQUIRE(tensors.size() == 5);
  CHECK(tensors[0].name == "a.weight");
  CHECK(tensors[2].name == "b.bias");
  CHECK(tensors[2].offset == 9);
  REQUIRE(states.size() == 6);
  CHECK(states[1].name == "b.running_var");
  CHECK(states[1].offset == 3);
  CHECK(states[5].name == "f.num_batches_tracked");
  CHECK(states[5].offset == 25);

  std::vector<float> numbers(30);
  CHECK(net.steps()[1].slice(std::span<float>(numbers)).data() == numbers.data() + 6);
  CHECK(net.steps()[1].slice(std::span<float>(numbers)).size() == 6);
  CHECK(net.steps()[5].state_slice(std::span<float>(numbers)).data() == numbers.data() + 7);
  CHECK(net.steps()[5].prepared_slice(std::span<float>(numbers)).size() == 18);
}

TEST_CASE("Steps: a step's operations are the layer's, but no fewer than reading and writing its numbers is worth") {
  constexpr double memory = detail::memory_access;
  Steps<float> net({Shape{100}, Shape{3, 8, 8}, Shape{5}});
  const auto operations = [&] { return net.steps().back().operations; };
  net.add(Linear<100, 30>(), 0, "a");
  CHECK(operations() == 6000);
  net.add(Tanh(), 3, "b");
  CHECK(operations() == memory * 60);
  net.add(Upsample<2>(), 1, "c");
  CHECK(operations() == memory * 5 * 192);
  net.add(MaxPool2d<2>(), 1, "d");
  CHECK(operations() == memory * (192 + 48));
  net.add(BatchNorm2d<3>(), 1, "e");
  CHECK(operations() == memory * 3 * 192);
  net.add(InstanceNorm2d<3>(), 1, "f");
  CHECK(operations() == memory * 3 * 192);
  net.add(LayerNorm<3, 8, 8>(), 1, "g");
  CHECK(operations() == memory * 3 * 192);
  net.sum({1, 1, 1}, "h");
  CHECK(operations() == memory * 4 * 192);
  net.concatenate({1, 2}, "i");
  CHECK(operations() == memory * (192 + 5 + 8 * 64));
}

TEST_CASE("Steps: what does not fit is refused, with the name") {
  Steps<float> net({Shape{2, 4, 4}, Shape{3}});
  const auto count = [&] { return net.steps().size(); };
  CHECK_THROWS_WITH_AS(net.add(Linear<3, 2>(), 0, "a"),
                       "eigan: this layer does not take what the layer before gives: layer a, Linear(in_features=3, "
                       "out_features=2), expects 3 features and receives 2 x 4 x 4",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(net.add(own::Gain{4}, 1, "b"),
                       "eigan: this layer does not take what the layer before gives: layer b, Gain(features=4), "
                       "expects 4 and receives 3",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(net.sum({0, 1}, "c"), "eigan: a sum needs equal shapes: c receives 2 x 4 x 4 and 3",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(net.add(Tanh(), 2, "d"), "eigan::Steps: d cannot read level 2 of 2", std::invalid_argument);
  CHECK_THROWS_WITH_AS(net.sum({0, 7}, "e"), "eigan::Steps: e cannot read level 7 of 2", std::invalid_argument);
  CHECK_THROWS_WITH_AS(net.sum({}, "f"), "eigan::Steps: f must read a level", std::invalid_argument);
  CHECK_THROWS_WITH_AS(net.concatenate({}, "g"), "eigan::Steps: g must read a level", std::invalid_argument);
  CHECK_THROWS_AS(net.concatenate({2}, "h"), std::invalid_argument);
  const auto half = net.add(own::Halve(), 0, "half");
  CHECK_THROWS_WITH_AS(net.concatenate({1, half, 0}, "i"),
                       "eigan: images side by side need one height and width: i receives 2 x 2 x 2 and 2 x 4 x 4",
                       std::invalid_argument);
  CHECK(count() == 1);
  CHECK(net.levels().size() == 3);
  CHECK(net.param_size() == 0);
  CHECK_THROWS_WITH_AS(Steps<float>({}), "eigan::Steps: needs at least one input", std::invalid_argument);
  CHECK_THROWS_WITH_AS(Steps<float>({Shape{3}, Shape{}}), "eigan: an input cannot have the shape 0",
                       std::invalid_argument);
}

TEST_CASE("Steps: each step has a name of its own") {
  Steps<float> net({Shape{3}});
  const auto a = net.add(Linear<3, 3>(), 0, "a");
  CHECK_THROWS_WITH_AS(net.add(Linear<3, 3>(), a, "a"), "eigan::Steps: there are two steps named a",
                       std::invalid_argument);
  CHECK_THROWS_AS(net.sum({0, a}, "a"), std::invalid_argument);
  CHECK(net.levels().size() == 2);
  CHECK(net.steps().size() == 1);
}

TEST_CASE("Steps: more numbers than any memory holds are refused") {
  constexpr Index most = Index{1} << 31;
  for (const Shape shape : {Shape{most, most, 1}, Shape{most, most, most}, Shape{1, most, most}})
    CHECK_THROWS_AS(Steps<float>({shape}), std::invalid_argument);
  Steps<float> wide({Shape{1, most, most / 64}});
  CHECK_THROWS_WITH_AS(wide.add(own::Pointwise<1, 9>(), 0, "a"),
                       "eigan: layer a would give more numbers than any memory holds", std::invalid_argument);
  CHECK_THROWS_AS(wide.concatenate({0, 0, 0, 0, 0}, "b"), std::invalid_argument);

  // Before a size overflows, and before the layer is placed.
  Steps<float> tall({Shape{1, most, 1}});
  const auto level = tall.add(ConvTranspose2d<>(1, 1, 1, 1 << 25), 0, "a");
  const char* const message = "eigan: layer b would give more numbers than any memory holds";
  const auto refused = [&](const auto& layer) {
    CHECK_THROWS_WITH_AS(tall.add(layer, level, "b"), message, std::invalid_argument);
  };
  refused(Upsample<>(65535));
  refused(ConvTranspose2d<>(1, 1, 1, 2147483647));
  refused(Conv2d<>(1, 2147483647, 1));
  // What a window costs is counted without overflow as well.
  Steps<float> small({Shape{4}});
  small.add(MaxPool2d<>(2147483647, 1, 1073741823), 0, "a");
  CHECK(small.steps()[0].operations == doctest::Approx(4. * 2147483647. * 2147483647.));
}

TEST_CASE("Steps: a list made by hand is a model's, and must be used up") {
  auto net = std::make_shared<Steps<double>>(std::vector<Shape>{{4}});
  CHECK_THROWS_WITH_AS(BasicModel<double>(net, "none", Rng(1)), "eigan::Model: needs at least one layer",
                       std::invalid_argument);
  const auto a = net->add(Linear<4, 4>(), 0, "a");
  const auto b = net->add(Tanh(), a, "b");
  net->add(Linear<4, 4>(), a, "c");
  CHECK_THROWS_WITH_AS(BasicModel<double>(net, "unused", Rng(1)), "eigan::Model: nobody reads level 2, the output of b",
                       std::invalid_argument);
  net->sum({b, 3, a, 0}, "d");
  BasicModel<double> model(net, "by hand", Rng(1));
  CHECK(model.architecture() == "by hand");
  CHECK(model.param_size() == 40);
  gradient_check::check_network(model);
}

TEST_CASE("Steps: the gradients of lists put together at random agree with central differences") {
  for (std::uint64_t seed = 1000; seed < 1030; ++seed) {
    CAPTURE(seed);
    BasicModel<double> model(random_steps::make<double>(seed, true), "random", Rng(seed));
    gradient_check::check_network(model, {.cap = 40});
  }
}

TEST_CASE("Steps: the gradients of the networks that other tests run agree with central differences") {
  const testing::CheckOptions few{.batches = {2}, .cap = 60, .margin = 0.05};
  gradient_check::check_network(networks::Residuals{}, few);
  gradient_check::check_network(networks::UNet{}, few);
  gradient_check::check_network(networks::NormalizedUNet{}, few);
  gradient_check::check_network(networks::Convolutions{}, few);
}

TEST_CASE("same_layout: sizes, kinds and what is read") {
  const auto make = [](auto... layers) {
    Steps<float> net({Shape{6}});
    std::size_t at = 0;
    ((at = net.add(layers, at, std::to_string(at))), ...);
    return net;
  };
  using L = Linear<6, 6>;
  CHECK(detail::same_layout(make(L(), Tanh()), make(L(), Tanh())));
  CHECK(detail::same_layout(make(L(), Dropout(0.1)), make(L(), Dropout(0.2))));
  CHECK_FALSE(detail::same_layout(make(L(), Tanh()), make(L(), L())));
  CHECK_FALSE(detail::same_layout(make(L(), Tanh()), make(L())));
  CHECK_FALSE(detail::same_layout(make(L(), Tanh()), make(L(), own::Square())));  // reads x, not y
  CHECK_FALSE(detail::same_layout(make(own::Gain{6}), make(own::ExpGain{6})));    // prepares something
  CHECK_FALSE(detail::same_layout(make(Linear<6, 7>()), make(Linear<6, 8>())));
  Steps<float> sum = make(L(), Tanh()), other = sum, channels = sum;
  sum.sum({1, 2}, "sum"), other.sum({2, 1}, "sum"), channels.concatenate({1, 2}, "channels");
  CHECK(detail::same_layout(sum, sum));
  CHECK_FALSE(detail::same_layout(sum, other));
  CHECK_FALSE(detail::same_layout(sum, channels));
  // Of one level both have its shape, but only a sum hands its gradient down in the same memory.
  Steps<float> alone = make(L(), Tanh()), beside = alone;
  alone.sum({1}, "join"), beside.concatenate({1}, "join");
  CHECK_FALSE(detail::same_layout(alone, beside));
}
