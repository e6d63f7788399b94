#include <doctest/doctest.h>
#include <cstddef>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include <eigan/gan/networks.hpp>
#include <eigan/gan/steps.hpp>
#include <eigan/losses/mse.hpp>
#include <eigan/net/estimate_statistics.hpp>
#include <eigan/net/runtime/network.hpp>
#include <eigan/net/summary.hpp>
#include <eigan/optim/adam.hpp>

#include "allocations.hpp"
#include "io/support.hpp"
#include "net/gradient_check.hpp"
#include "net/networks.hpp"
#include "support.hpp"

using namespace eigan;

namespace {

// Many of the library's layers, and two of one's own; large enough that threads start.
using Fixed = Sequential<Dropout, Linear<90, 300>, BatchNorm1d<300>, LeakyReLU, Dropout, own::Gain, Linear<300, 70>,
                         own::Square, Linear<70, 70>, Tanh, ReLU, Linear<70, 4>, Sigmoid>;
Fixed fixed() {
  return Fixed{Dropout(0.1),
               {},
               BatchNorm1d<300>(300, 1e-3),
               LeakyReLU(0.2),
               Dropout(0.3),
               own::Gain{300},
               {},
               own::Square{3},
               {},
               {},
               {},
               {},
               {}};
}
Network by_hand() {
  Network net;
  net.add(Dropout(0.1)).add(Linear(90, 300)).add(BatchNorm1d(300, 1e-3)).add(LeakyReLU(0.2)).add(Dropout(0.3));
  net.add(own::Gain{300}).add(Linear<300, 70>()).add(own::Square{3}).add("Linear(in_features=70, out_features=70)");
  return net.add("Tanh(), ReLU()").add(Linear(70, 4)).add(Sigmoid());
}

/// Some steps of training; the parameters afterwards.
template <class Net, class T>
void train(Model<Net, T>& model, Threads threads) {
  const Matrix<T> x = support::random_matrix<T>(90, 70, 2), target = support::random_matrix<T>(4, 70, 3, 0, 1);
  auto tape = model.tape(70);
  auto gradient = model.zeros();
  Adam<T> adam(gradient.size(), {.lr = 0.01});
  for (std::uint64_t step = 0; step < 4; ++step) {
    const auto batch = static_cast<Index>(70 - step);
    const auto y = model.forward(tape, ConstView<T>(x).columns(0, batch), Rng(4).fold_in(step), threads);
    mse<T>(y, ConstView<T>(target).columns(0, batch), tape.output_gradient());
    backward_and_step(model, tape, adam, gradient, threads);
  }
}

std::string error_of(std::string_view text) {
  return test::error_text([&] { Network::from_text(text); });
}
std::string text_of(const Network& net) {
  return Model<Network>(net, Rng(1)).architecture();
}

/// The same list of steps.
template <class T>
void check_same_steps(const BasicModel<T>& a, const BasicModel<T>& b) {
  CHECK(a.architecture() == b.architecture());
  CHECK(detail::same_layout(a.steps(), b.steps()));
  REQUIRE(a.steps().steps().size() == b.steps().steps().size());
  for (std::size_t s = 0; s < a.steps().steps().size(); ++s) {
    CHECK(a.steps().steps()[s].name == b.steps().steps()[s].name);
    CHECK(a.steps().steps()[s].offset == b.steps().steps()[s].offset);
  }
  CHECK(support::same_bits<T>(a.params(), b.params()));
}

}  // namespace

TEST_CASE("Network: steps, names and text are Sequential's") {
  const Model<Network> model(by_hand(), Rng(1));
  const Model<Fixed> same(fixed(), Rng(1));
  CHECK(by_hand().depth() == Fixed::depth());
  CHECK(by_hand().layer(1).spec().text() == "Linear(in_features=90, out_features=300)");
  check_same_steps<float>(model, same);
  CHECK(summary(model) == summary(same));
}

TEST_CASE_TEMPLATE("Network: training and inference have the bits of Sequential, on one thread and on two", T, float,
                   double) {
  for (const Threads threads : {Threads{1}, Threads{2}}) {
    CAPTURE(threads.count);
    Model<Network, T> model(by_hand(), Rng(1));
    Model<Fixed, T> same(fixed(), Rng(1));
    CHECK(support::same_bits<T>(model.params(), same.params()));
    train(model, threads), train(same, threads);
    CHECK(support::same_bits<T>(model.params(), same.params()));
    const Matrix<T> x = support::random_matrix<T>(90, 65, 7);
    estimate_statistics(model, x), estimate_statistics(same, x);
    CHECK(support::same_bits<T>(model.infer(x, threads), same.infer(x, threads)));
    CHECK(support::same_bits<T>(model.state(), same.state()));
  }
}

TEST_CASE("Network: its gradients are right") {
  Network net;
  net.add(Linear(5, 7)).add(BatchNorm1d(7)).add(Tanh()).add(Dropout(0.3)).add(own::Gain{7}).add(own::Square{});
  net.add(Residual(Linear<>(7, 7), Tanh())).add("SkipConnection(Linear(in_features=7, out_features=3), Tanh())");
  net.add(Linear(10, 2)).add(Sigmoid());
  gradient_check::check_network(net, {.batches = {3, 4}});
}

TEST_CASE("Network: a step allocates nothing" * doctest::skip(!support::counts_allocations)) {
  Model<Network> model(by_hand(), Rng(1));
  const Matrix<float> x = support::random_matrix<float>(90, 40, 2);
  auto tape = model.tape(40);
  auto gradient = model.zeros();
  auto scratch = model.scratch();
  Matrix<float> y(4, 40);
  Adam adam(gradient.size());
  estimate_statistics(model, x);
  const auto step = [&] {
    model.forward(tape, x, Rng(3), Threads{2});
    tape.output_gradient().setOnes();
    backward_and_step(model, tape, adam, gradient, Threads{2});
    model.infer(x, y, scratch);
  };
  step();
  const long before = support::allocations();
  step();
  CHECK(support::allocations() == before);
  const std::vector<float> something(5);
  CHECK(support::allocations() > before);
}

TEST_CASE("Network: adversarial steps have the bits of Sequential") {
  const auto train_both = [](auto g_net, auto d_net) {
    Model g(std::move(g_net), Rng(1));
    Model d(std::move(d_net), Rng(2));
    GanWorkspace workspace(g, d, 20);
    Adam g_adam(g.param_size()), d_adam(d.param_size());
    const Matrix<float> real = support::random_matrix<float>(16, 20, 3), z = support::random_matrix<float>(8, 20, 4);
    for (std::uint64_t step = 0; step < 3; ++step) {
      discriminator_step(g, d, d_adam, workspace, real, z, Rng(5).fold_in(step));
      generator_step(g, d, g_adam, workspace, z, Rng(6).fold_in(step));
    }
    std::vector<float> all(g.params().begin(), g.params().end());
    all.insert(all.end(), d.params().begin(), d.params().end());
    return all;
  };
  const auto g = make_generator<8, 32, 16>();
  const auto d = make_discriminator<16, 32, 1>();
  const auto expected = train_both(g, d);
  const auto found = train_both(Network::from_text(Model(g, Rng(1)).architecture()),
                                Network::from_text(Model(d, Rng(1)).architecture()));
  CHECK(support::same_bits<float>(std::span<const float>(found), std::span<const float>(expected)));
}

TEST_CASE("Network: compositions in text are those in types, and come out as they went in") {
  const auto check = [](const auto& net) {
    const Model<std::remove_cvref_t<decltype(net)>> model(net, Rng(1));
    const Network read = Network::from_text(model.architecture());
    check_same_steps<float>(Model<Network>(read, Rng(1)), model);
    CHECK(read.depth() == std::remove_cvref_t<decltype(net)>::depth());
  };
  check(Sequential<Linear<3, 4>, Residual<Linear<4, 6>, Tanh, Linear<6, 4>>, Tanh>{});
  check(Sequential<Linear<3, 4>, Sequential<Tanh, Sequential<Linear<4, 2>, ReLU>>>{});
  check(Sequential<Linear<2, 4>, Residual<SkipConnection<Tanh>, Linear<8, 4>>, SkipConnection<Residual<Tanh>>>{});
  check(Sequential<Linear<3, 4>, Parallel<Linear<4, 1>, Sequential<Tanh, Linear<4, 2>>, Residual<Tanh>>>{});
  check(Sequential<Input<3>, Parallel<SkipConnection<Tanh>, Linear<3, 2>>>{});
  check(Sequential<Inputs<Input<2>, Input<3>>, Linear<5, 1>>{});
  check(Sequential<Inputs<Input<1, 2, 2>, Input<3, 1, 1>>, Conv2d<4, 2, 1>>{});
  check(Sequential<Inputs<Sequential<Input<1, 2, 2>, Conv2d<1, 2, 1>, Flatten>, Input<3>>, Linear<11, 1>>{});
  check(Sequential<Inputs<Sequential<Input<2>>, Linear<3, 4>>, Linear<6, 1>>{});
  check(Sequential<Input<3, 8, 6>, Conv2d<3, 4, 3, 1, 1>,
                   SkipConnection<Conv2d<4, 8, 4, 2, 1>, BatchNorm2d<8>, ReLU, ConvTranspose2d<8, 4, 4, 2, 1>>,
                   Residual<Conv2d<8, 8, 3, 1, 1>, InstanceNorm2d<8>, LeakyReLU>, Conv2d<8, 1, 3, 1, 1>, Flatten,
                   Linear<48, 2>>{});
}

TEST_CASE("Network: an input in text, in front of the first layer") {
  const Model<Network> one(Network::from_text("Input(channels=3, height=4, width=5), Tanh()"), Rng(1));
  CHECK(one.input_shape() == Shape{3, 4, 5});
  CHECK(one.steps().steps().size() == 1);
  CHECK(one.steps().steps()[0].name == "0");
  const Model<Network> two(
      Network::from_text("Inputs(Input(channels=1, height=2, width=2), Input(channels=3, height=1, width=1)), Tanh()"),
      Rng(1));
  CHECK(two.steps().inputs() == 2);
  CHECK(two.output_shape() == Shape{4, 2, 2});
  CHECK(two.steps().steps()[1].name == "0");
  const auto image = support::random_matrix<float>(4, 2, 1), label = support::random_matrix<float>(3, 2, 2);
  CHECK(two.infer({image, label}).rows() == 16);

  // A row known at run time, as a part of typed Inputs.
  Network row;
  row.add(Input<>(1, 2, 2)).add(Flatten());
  const Model told(Sequential(Inputs(row, Input<>(3)), Linear<>(7, 1)), Rng(1));
  auto tape = told.tape(2);
  CHECK(told.forward(tape, {image, label}).cols() == 2);

  CHECK(error_of("Inputs()") == "eigan::Network: layer 0, Inputs: expected inputs inside, found none");
  CHECK(
      error_of("Inputs(Input(channels=2), Tanh())") ==
      "eigan::Network: layer 0.1, Tanh: eigan::Inputs: input 1 must be an Input, a row of layers that begins with one, "
      "or layers that state their size");
  CHECK(test::contains(
      error_of("Inputs(Input(channels=1, height=2, width=1), Input(channels=1, height=3, width=1)), Tanh()"),
      "layer 0, Inputs: eigan: images side by side need one height and width: inputs receives 1 x 2 x "
      "1 and 1 x 3 x 1"));
  CHECK(test::contains(error_of("Input(channels=2), Linear(in_features=3, out_features=1)"),
                       "expects 3 features and receives 2"));
  CHECK(test::contains(error_of("Linear(in_features=3, out_features=2), Sequential(Input(channels=3), Tanh())"),
                       "eigan::Input of layer 1: expects 3 and receives 2"));
  CHECK(test::contains(error_of("Inputs(Input(channels=2), a=1)"), "expected only settings that this layer has"));
}

TEST_CASE("Network: an input that is not the first layer is refused") {
  const std::string linear = "Linear(in_features=2, out_features=2), ";
  const std::string behind = "only the first layer can be an Input, this one stands behind 1";
  CHECK(error_of(linear + "Input(channels=2)") == "eigan::Network: layer 1, Input: eigan::Network: " + behind);
  CHECK(error_of(linear + "Inputs(Input(channels=1), Input(channels=1))") ==
        "eigan::Network: layer 1, Inputs: eigan::Network: " + behind);
  CHECK(error_of(linear + "Residual(Tanh(), Input(channels=2), Tanh())") ==
        "eigan::Network: layer 1.1, Input: eigan::Network: " + behind);
  CHECK(error_of("Parallel(Inputs(Input(channels=3), Input(channels=3)), Linear(in_features=3, out_features=2))") ==
        "eigan::Network: layer 0.0, Inputs: expected a layer, found an Input, which states what goes into the network");
  Network net;
  net.add(Tanh());
  CHECK_THROWS_WITH_AS(net.add(Input<3>()), ("eigan::Network: " + behind).c_str(), std::invalid_argument);
  CHECK(net.depth() == 1);
}

TEST_CASE("Network: compositions in text that are none are errors") {
  CHECK(error_of("Residual()") == "eigan::Network: layer 0, Residual: expected layers inside, found none");
  CHECK(error_of("Parallel(Tanh())") ==
        "eigan::Network: layer 0, Parallel: expected at least two layers inside, found 1");
  CHECK(error_of(
            "Input(channels=3, height=2, width=2), Parallel(Tanh(), AvgPool2d(kernel_size=2, stride=2, padding=0))") ==
        "eigan::Network: layer 1, Parallel: eigan: the heads of a Parallel must have one height and width: "
        "0.concatenation receives 3 x 2 x 2 and 3");
  CHECK(error_of("Linear(in_features=2, out_features=2), Residual(Tanh(), bias=1)") ==
        "eigan::Network: layer 1, Residual: expected only settings that this layer has, found 'bias'");
  CHECK(error_of("Linear(in_features=2, out_features=2), Residual(Tanh(Tanh()))") ==
        "eigan::Network: layer 1.0, Tanh: expected no layers inside, found 1");
  CHECK(error_of("Linear(in_features=2, out_features=2), Residual(Linear(in_features=2, out_features=3))") ==
        "eigan::Network: layer 1, Residual: eigan: a sum needs equal shapes: 1.sum receives 2 and 3");
  CHECK(error_of("Linear(in_features=2, out_features=2), Residual(Tanh(), SkipConnection(Linear(in_features=5, "
                 "out_features=3)))") ==
        "eigan::Network: layer 1, Residual: eigan: this layer does not take what the layer before gives: layer "
        "1.body.1.body.0, Linear(in_features=5, out_features=3), expects 5 features and receives 2");
  CHECK(test::contains(error_of("Residual(Conv9d())"), "layer 0.0, Conv9d: expected one of "));
}

TEST_CASE("Network: there is an end to what a text may ask for") {
  const auto nested = [](std::string_view name, int depth) {
    std::string text = "Tanh()";
    for (int i = 0; i < depth; ++i) text = std::string(name) + '(' + text + ')';
    return "Input(channels=1), " + text;
  };
  CHECK(Model<Network>(Network::from_text(nested("Residual", 63)), Rng(1)).output_size() == 1);
  CHECK(test::contains(error_of(nested("Residual", 64)), "at most 64 layers inside each other"));
  CHECK(Model<Network>(Network::from_text(nested("SkipConnection", 10)), Rng(1)).output_size() == 11);
  std::string many = "Input(channels=1)";
  for (int i = 1; i < 10000; ++i) many += ", Tanh()";
  CHECK(Network::from_text(many).depth() == 9999);
  CHECK(test::contains(error_of(many + ", Tanh()"), "at most 10000 layers"));

  const std::string huge = "Linear(in_features=2147483648, out_features=2147483648)";
  CHECK(test::contains(error_of(huge + ", " + huge), "more parameters than any memory"));
  CHECK(test::contains(error_of("Input(channels=2147483648, height=2147483648, width=2147483648), Tanh()"),
                       "an input cannot have the shape 2147483648 x 2147483648 x 2147483648"));
  std::string wide = "Input(channels=2147483648, height=60000000, width=1), Parallel(Tanh()";
  for (int i = 0; i < 200; ++i) wide += ", Tanh()";
  CHECK(test::contains(error_of(wide + ")"), "would give more numbers than any memory holds"));
  const std::string tall =
      "Input(channels=1, height=2147483648, width=1), ConvTranspose2d(in_channels=1, out_channels=1, kernel_size=1, "
      "stride=33554432, padding=0, output_padding=0, bias=1), ";
  for (const char* const layer : {"Upsample(scale_factor=4096, bilinear=0)",
                                  "ConvTranspose2d(in_channels=1, out_channels=1, kernel_size=1, stride=2147483647, "
                                  "padding=0, output_padding=0, bias=1)"})
    CHECK(test::contains(error_of(tall + layer), "would give more numbers than any memory holds"));
}

TEST_CASE("Network: sizes that do not fit are refused, with the place and both numbers") {
  Network net;
  net.add(Tanh()).add(Linear(2, 4));
  CHECK(net.input_shapes() == std::vector<Shape>{{2}});
  CHECK_THROWS_WITH_AS(
      net.add(Linear(5, 3)),
      "eigan: this layer does not take what the layer before gives: layer 2, Linear(in_features=5, out_features=3), "
      "expects 5 features and receives 4",
      std::invalid_argument);
  CHECK(net.depth() == 2);  // as it was
  CHECK_THROWS_AS(Model<Network>(Network(), Rng(1)), std::invalid_argument);
  CHECK_THROWS_AS(Model<Network>(Network().add(Tanh()), Rng(1)), std::invalid_argument);
  CHECK_NOTHROW(Model<Network>(Network().add(Tanh()), Shape{3}, Rng(1)));
}

TEST_CASE("Network: the first size is that of the layers in front of it") {
  Network net;
  net.add(Tanh()).add(Dropout()).add(Residual(Tanh())).add(Linear(4, 2));
  CHECK(Model<Network>(net, Rng(1)).input_size() == 4);
  CHECK(Model<Network>(Network().add(Input<4>()).add(SkipConnection(Tanh())).add(Linear(8, 2)), Rng(1)).input_size() ==
        4);
}

TEST_CASE("Network: behind a layer that changes the shape no layer states the input's") {
  Network net;
  net.add(Conv2d<>(1, 4, 3, 1, 1)).add(ReLU()).add(Flatten()).add(Linear(144, 10));
  CHECK_THROWS_AS(Model<Network>(net, Rng(1)), std::invalid_argument);
  CHECK(Model<Network>(net, Shape{1, 6, 6}, Rng(1)).output_size() == 10);
  const std::string message = "eigan::Network: expected an Input or a layer that states its size in front, found none ";
  for (const std::string first : {"GlobalAvgPool2d()", "Sequential(Flatten())", "SkipConnection(Tanh())",
                                  "Parallel(Tanh(), Dropout())", "BatchNorm2d(num_features=4)"})
    CHECK(error_of(first + ", Linear(in_features=4, out_features=1)").starts_with(message));
  CHECK(Network::from_text("Parallel(Flatten(), Linear(in_features=4, out_features=1))").input_shapes() ==
        std::vector<Shape>{{4}});
}

TEST_CASE("Network: what cannot be added leaves it as it was") {
  Network net;
  net.add(Tanh());
  CHECK_THROWS_AS(net.add(Linear(Index{1} << 31, Index{1} << 31)), std::invalid_argument);
  CHECK_THROWS_AS(net.add("Linear(in_features=3, out_features=2), Linear(in_features=3, out_features=2)"), Error);
  CHECK_THROWS_AS(net.add("Linear(in_features=3, out_features=2), Linear()"), Error);
  CHECK(net.depth() == 1);
  CHECK(net.input_shapes().empty());
  CHECK(text_of(net.add(Linear(5, 2))) == "Tanh(), Linear(in_features=5, out_features=2)");
}

TEST_CASE("Network: so does memory that runs out") {
  const AnyLayer linear(Linear(3, 2));
  long failed = 0;
  for (bool happened = true; happened; failed += happened ? 1 : 0) {
    Network net;
    bool threw = false;
    {
      const support::FailingAllocation failing(failed);
      try {
        net.add(linear);
      } catch (const std::bad_alloc&) {
        threw = true;
      }
      happened = failing.happened();
    }
    CHECK(threw == happened);
    CHECK(net.depth() == (threw ? 0u : 1u));
    CHECK(net.input_shapes().empty() == threw);
  }
  CHECK(failed >= 3);  // one for each of its lists
}

TEST_CASE("Network: a tape or a scratch of another network is refused, of an equal one taken") {
  const auto model = [](const char* text) { return Model<Network>(Network::from_text(text), Rng(1)); };
  const auto one = model("Linear(in_features=3, out_features=3), Tanh(), Dropout(p=0)");
  const auto equal = model("Linear(in_features=3, out_features=3), Tanh(), Dropout(p=0)");
  const auto other =
      model("Linear(in_features=3, out_features=3), Linear(in_features=3, out_features=3), Dropout(p=0)");
  const Matrix<float> x = support::random_matrix<float>(3, 4, 1);
  auto tape = one.tape(4);
  CHECK_NOTHROW(equal.forward(tape, x, Rng(1)));
  // The same sizes, but not the same use of memory.
  CHECK_THROWS_AS(other.forward(tape, x, Rng(1)), std::invalid_argument);

  const auto wider =
      model("Linear(in_features=3, out_features=9), Linear(in_features=9, out_features=3), Dropout(p=0)");
  auto scratch = one.scratch();
  Matrix<float> y(3, 4);
  CHECK_NOTHROW(equal.infer(x, y, scratch));
  CHECK_THROWS_WITH_AS(wider.infer(x, y, scratch),
                       "eigan::Model::infer: this scratch was made for a network of other sizes",
                       std::invalid_argument);
}

TEST_CASE("Network: randomness wants a generator") {
  const Model<Network> calm(Network::from_text("Linear(in_features=3, out_features=3), Tanh()"), Rng(1));
  const Model<Network> model(Network::from_text("Linear(in_features=3, out_features=3), Residual(Dropout())"), Rng(1));
  const Matrix<float> x = support::random_matrix<float>(3, 4, 1);
  auto tape = model.tape(4), calm_tape = calm.tape(4);
  CHECK_NOTHROW(calm.forward(calm_tape, x));
  CHECK_THROWS_AS(model.forward(tape, x), std::invalid_argument);
}

TEST_CASE("Network: text that is no network is an error") {
  CHECK(error_of("Tanh(), ReLU()") ==
        "eigan::Network: expected an Input or a layer that states its size in front, found none in 'Tanh(), ReLU()'");
  CHECK(test::contains(error_of("Linear(in_features=3, out_features=2), Linear(in_features=3, out_features=2)"),
                       "expects 3 features and receives 2"));
  Network net;
  CHECK_THROWS_AS(net.add("Linear(3, 2)"), Error);
}
