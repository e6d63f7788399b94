#include <doctest/doctest.h>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <eigan/eigan.hpp>
#include <eigan/net/network.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "allocations.hpp"
#include "io/support.hpp"
#include "net/own_layers.hpp"
#include "support.hpp"

using namespace eigan;

namespace {

// Every layer of the library, and two of one's own; large enough that threads start.
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
LayerRegistry with_own() {
  LayerRegistry layers;
  layers.add("Square", [](const LayerText& text) { return own::Square{text.number("scale")}; });
  layers.add("Gain", [](const LayerText& text) { return own::Gain{text.size("features")}; });
  return layers;
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

/// It should say how many features come out.
struct Forgetful : Tanh {
  static constexpr bool elementwise = false;
  static constexpr Index input = 4, output = dynamic;
};
/// Takes any size.
template <Index Out>
struct AnyTo : Tanh {
  static constexpr bool elementwise = false;
  static constexpr Index input = dynamic, output = Out;
};

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("Network: sizes, offsets, names and text are Sequential's") {
  const Network net = by_hand();
  const Fixed same = fixed();
  REQUIRE(net.depth() == Fixed::depth());
  for (std::size_t i = 0; i <= net.depth(); ++i) {
    CHECK(net.features(i) == same.features(i));
    CHECK(net.offset(i) == same.offset(i));
  }
  CHECK(net.input_size() == 90);
  CHECK(net.output_size() == 4);
  CHECK(net.param_size() == same.param_size());
  CHECK(net.architecture() == same.architecture());
  CHECK(net.stochastic());
  const auto tensors = net.parameters(), others = same.parameters();
  REQUIRE(tensors.size() == others.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    CHECK(tensors[i].name == others[i].name);
    CHECK(tensors[i].offset == others[i].offset);
  }
  CHECK(summary(Model(net, Rng(1))) == summary(Model(same, Rng(1))));
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
    CHECK(support::same_bits<T>(model.params(), same.params()));

    // The way back to the input, and both ways at once.
    auto tape = model.tape(65);
    auto same_tape = same.tape(65);
    const auto both = [&](const auto& m, auto& t) {
      std::vector<T> gradient(static_cast<std::size_t>(m.net().param_size()));
      Matrix<T> dx(90, 65);
      m.forward(t, x, Rng(8), threads);
      t.output_gradient().setOnes();
      m.backward(t, gradient, dx, threads);
      gradient.insert(gradient.end(), dx.data(), dx.data() + dx.size());
      return gradient;
    };
    CHECK(support::same_bits<T>(std::span<const T>(both(model, tape)), std::span<const T>(both(same, same_tape))));
  }
}

TEST_CASE("Network: its gradients are right") {
  Network net;
  net.add(Linear(5, 7)).add(BatchNorm1d(7)).add(Tanh()).add(Dropout(0.3)).add(own::Gain{7}).add(own::Square{});
  net.add(Linear(7, 2)).add(Sigmoid());
  Model<Network, double> model(net, Rng(1));
  const auto report = testing::check_model(model, [](ConstView<double> y, View<double> dy) {
    return mse<double>(y, Matrix<double>::Constant(y.rows(), y.cols(), 0.25).eval(), dy);
  });
  INFO(report.text());
  CHECK(report.ok());
  CHECK(report.compared() > 100);
}

TEST_CASE("Network: a step allocates nothing" * doctest::skip(!support::counts_allocations)) {
  Model<Network> model(by_hand(), Rng(1));
  const Matrix<float> x = support::random_matrix<float>(90, 40, 2);
  auto tape = model.tape(40);
  auto gradient = model.zeros();
  auto scratch = model.scratch();
  Matrix<float> y(4, 40);
  Adam adam(gradient.size());
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

TEST_CASE("Network: files of one are read by the other, and have the same bytes") {
  const test::TemporaryFolder folder;
  const Model<Fixed> same(fixed(), Rng(1));
  Model<Network> model(by_hand(), Rng(2));
  save(folder / "same", same);
  load(folder / "same", model);
  CHECK(support::same_bits<float>(model.params(), same.params()));
  save(folder / "model", model);
  CHECK(bytes_of(folder / "model") == bytes_of(folder / "same"));
  Model<Fixed> back(fixed(), Rng(3));
  load(folder / "model", back);
  CHECK(support::same_bits<float>(back.params(), same.params()));

  Model<Network> read(Network::from_file(folder / "same", with_own()), Rng(4));
  load(folder / "same", read);
  const Matrix<float> x = support::random_matrix<float>(90, 9, 5);
  CHECK(support::same_bits<float>(read.infer(x), same.infer(x)));
  CHECK(test::contains(test::error_text([&] { Network::from_file(folder / "same"); }),
                       ": architecture: layer 5, Gain: expected one of BatchNorm1d, "));
}

TEST_CASE("Network: ONNX and C++ source are those of Sequential") {
  const test::TemporaryFolder folder;
  const Sequential layers(Linear<>(4, 3), LeakyReLU(0.2), BatchNorm1d<>(3), Dropout(), Linear<>(3, 2), Tanh());
  Network net;
  net.add(layers.architecture());
  save_onnx(folder / "a.onnx", Model(layers, Rng(1)));
  save_onnx(folder / "b.onnx", Model(net, Rng(1)));
  CHECK(bytes_of(folder / "a.onnx") == bytes_of(folder / "b.onnx"));
  save_cpp_source(folder / "a.hpp", Model(layers, Rng(1)), "a");
  save_cpp_source(folder / "b.hpp", Model(net, Rng(1)), "a");
  CHECK(bytes_of(folder / "a.hpp") == bytes_of(folder / "b.hpp"));
}

TEST_CASE("Network: adversarial steps have the bits of Sequential") {
  const auto train_both = [](auto g_net, auto d_net) {
    Model g(std::move(g_net), Rng(1));
    Model d(std::move(d_net), Rng(2));
    GanWorkspace workspace(g, d, 20);
    Adam g_adam(g.net().param_size()), d_adam(d.net().param_size());
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
  const auto found = train_both(Network::from_text(g.architecture()), Network::from_text(d.architecture()));
  CHECK(support::same_bits<float>(std::span<const float>(found), std::span<const float>(expected)));
}

TEST_CASE("Network: sizes that do not fit are refused, with the place and both numbers") {
  Network net;
  net.add(Tanh()).add(Linear(2, 4));
  CHECK(net.features(0) == 2);
  CHECK_THROWS_WITH_AS(
      net.add(Linear(5, 3)),
      "eigan::Network: this layer's input size differs from the previous layer's output size: layer 2, "
      "Linear(in_features=5, out_features=3), expects 5 and receives 4",
      std::invalid_argument);
  CHECK(net.depth() == 2);  // as it was
  CHECK(net.output_size() == 4);
  Network sizeless;
  CHECK_THROWS_AS(Model<Network>(sizeless, Rng(1)), std::invalid_argument);
  sizeless.add(Tanh());
  CHECK_THROWS_WITH_AS(Model<Network>(sizeless, Rng(1)), "eigan::Network: no layer states a size",
                       std::invalid_argument);
}

TEST_CASE("Network: a layer that states no size for what comes out is refused") {
  Network net;
  net.add(Linear(3, 4));
  CHECK_THROWS_WITH_AS(net.add(Forgetful()),
                       "eigan::Network: layer 1, Tanh(): expected an output size of at least 1, found -1",
                       std::invalid_argument);
  CHECK_THROWS_AS(Network().add(AnyTo<dynamic>()), std::invalid_argument);
  CHECK_THROWS_AS(Network().add(own::Gain{0}), std::invalid_argument);
  net.add(Linear(4, 2));
  CHECK(net.input_size() == 3);
  CHECK(net.depth() == 2);
}

TEST_CASE("Network: the first size is that of the layers in front of it, but for those that state their own") {
  Network net;
  net.add(Tanh()).add(AnyTo<7>()).add(AnyTo<4>()).add(Linear(4, 2));
  const Sequential same(Tanh(), AnyTo<7>(), AnyTo<4>(), Linear<>(4, 2));
  for (std::size_t i = 0; i <= net.depth(); ++i) CHECK(net.features(i) == same.features(i));
}

TEST_CASE("Network: what cannot be added leaves it as it was") {
  Network net;
  net.add(Tanh());
  const Network::Layout before = net.layout();
  CHECK_THROWS_AS(net.add(Linear(Index{1} << 31, Index{1} << 31)), std::invalid_argument);
  CHECK(net.layout() == before);
  CHECK_THROWS_AS(net.add("Linear(in_features=3, out_features=2), Linear(in_features=3, out_features=2)"),
                  std::invalid_argument);
  CHECK_THROWS_AS(net.add("Linear(in_features=3, out_features=2), Linear()"), Error);
  CHECK(net.layout() == before);
  CHECK(net.depth() == 1);
  CHECK(net.add(Linear(5, 2)).architecture() == "Tanh(), Linear(in_features=5, out_features=2)");
}

TEST_CASE("Network: so does memory that runs out") {
  const AnyLayer linear(Linear(3, 2));
  long failed = 0;
  for (bool happened = true; happened; failed += happened ? 1 : 0) {
    Network net;
    const Network::Layout before = net.layout();
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
    CHECK((net.layout() == before) == threw);
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
  const Model<Network> model(Network::from_text("Linear(in_features=3, out_features=3), Dropout()"), Rng(1));
  const Matrix<float> x = support::random_matrix<float>(3, 4, 1);
  auto tape = model.tape(4), calm_tape = calm.tape(4);
  CHECK_NOTHROW(calm.forward(calm_tape, x));
  CHECK_THROWS_AS(model.forward(tape, x), std::invalid_argument);
}

TEST_CASE("Network: text that is no network is an error") {
  const auto error = [](std::string_view text) { return test::error_text([&] { Network::from_text(text); }); };
  CHECK(error("Tanh(), ReLU()") ==
        "eigan::Network: expected a layer that states a size, found none in 'Tanh(), ReLU()'");
  CHECK(test::contains(error("Linear(in_features=3, out_features=2), Linear(in_features=3, out_features=2)"),
                       "expects 3 and receives 2"));
  const std::string huge = "Linear(in_features=2147483648, out_features=2147483648)";
  CHECK(test::contains(error(huge + ", " + huge), "more parameters than any memory"));
  Network net;
  CHECK_THROWS_AS(net.add("Linear(3, 2)"), Error);
}

TEST_CASE("Network::from_file: a file's word is compared with its tensors before anything is made of it") {
  const test::TemporaryFolder folder;
  const std::vector<float> values(8);
  const std::vector<Parameter> small{{"0.weight", 0, 2, 3, 2}, {"0.bias", 6, 2, 1, 1}};
  const auto file = [&](const std::string& architecture) {
    save_parameters<float>(folder / "m", values, small, architecture);
    return folder / "m";
  };
  CHECK(Network::from_file(file("Linear(in_features=3, out_features=2)")).param_size() == 8);
  const auto error = [&](const std::string& architecture) {
    return test::error_text([&] { Network::from_file(file(architecture)); });
  };
  // 2^60 parameters: making a model of them would be felt.
  CHECK(test::contains(error("Linear(in_features=1073741824, out_features=1073741823)"),
                       "tensor '0.weight': expected [1073741823, 1073741824], found [2, 3]"));
  CHECK(test::contains(error("Linear(in_features=3, out_features=2), Linear(in_features=2, out_features=1)"),
                       "found no tensor of that name"));
  CHECK(test::contains(error("BatchNorm1d(num_features=3)"), "m: tensor '0.weight': expected [3], found [2, 3]"));
  // The same layers in other words, which load() would refuse.
  CHECK(test::contains(error("Linear(in_features=3, out_features=2), LeakyReLU()"),
                       "m: architecture: expected 'Linear(in_features=3, out_features=2), "
                       "LeakyReLU(negative_slope=0.01)', found 'Linear(in_features=3, out_features=2), LeakyReLU()'"));
  CHECK(test::contains(error("Linear(in_features=3, out_features=2), Dropout(p=0.50)"), "Dropout(p=0.5)', found '"));
  CHECK(test::contains(error("Linear(in_features=3, out_features=2), Tanh( )"), "Tanh()', found '"));
  CHECK(test::contains(error("\x1b[2J"), "m: architecture: expected '(' at character 4, found ''"));
  write_safetensors(folder / "none", {});
  CHECK(test::contains(test::error_text([&] { Network::from_file(folder / "none"); }),
                       "none: expected the metadata 'architecture', found none"));
}
