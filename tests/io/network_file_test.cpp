#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <eigan/eigan.hpp>
#include <eigan/io/network_file.hpp>

#include "io/support.hpp"
#include "net/own_layers.hpp"

using namespace eigan;
using test::contains;
using test::error_text;
using test::TemporaryFolder;

namespace {

LayerRegistry with_own() {
  LayerRegistry layers;
  layers.add("Square", [](const LayerText& text) { return own::Square{text.number("scale")}; });
  return layers;
}

Matrix<float> samples(Index count, std::uint64_t seed) {
  Matrix<float> x(48, count);
  fill_normal<float>(x, 0, 1, Rng(seed));
  return x;
}

/// Two tensors of a Linear from 3 to 2, and what the file says that they are.
struct Stated {
  TemporaryFolder folder;

  std::filesystem::path file(const std::string& architecture) const {
    const std::vector<float> values(8);
    const auto bytes = std::as_bytes(std::span(values));
    write_safetensors(folder / "m",
                      {{"0.weight", Dtype::f32, {2, 3}, bytes.first(24)}, {"0.bias", Dtype::f32, {2}, bytes.last(8)}},
                      {{"architecture", architecture}});
    return folder / "m";
  }
  std::string error(const std::string& architecture) const {
    return error_text([&] { load_network(file(architecture)); });
  }
};

}  // namespace

TEST_CASE("load_network: what a typed network saved, put together at run time") {
  const TemporaryFolder folder;
  using Net = Sequential<Input<2, 6, 4>, Conv2d<2, 3, 3, 1, 1>, BatchNorm2d<3>, LeakyReLU,
                         SkipConnection<MaxPool2d<2>, Residual<PReLU>, Upsample<2>>,
                         Parallel<Sequential<Flatten, Linear<144, 2>>, Sequential<GlobalAvgPool2d, own::Square>>>;
  Model<Net> saved(Rng(1));
  estimate_statistics(saved, samples(9, 2));
  save(folder / "f", saved);
  Model<Network> model(load_network(folder / "f", with_own()), Rng(3));
  load(folder / "f", model);
  CHECK(model.architecture() == saved.architecture());
  const Matrix<float> x = samples(5, 4);
  CHECK(model.infer(x) == saved.infer(x));
  CHECK(contains(error_text([&] { load_network(folder / "f"); }), "Square: expected one of "));
}

TEST_CASE("load_network: reads whatever save writes") {
  const TemporaryFolder folder;
  const auto check = [&](const auto& saved) {
    CAPTURE(saved.architecture());
    save(folder / "f", saved);
    Model<Network> model(load_network(folder / "f"), Rng(3));
    load(folder / "f", model);
    CHECK(model.architecture() == saved.architecture());
    const Matrix<float> x = Matrix<float>::Random(saved.input_size(), 3);
    CHECK(model.infer(x) == saved.infer(x));
  };
  check(Model<Sequential<SpectralNorm<Linear<2, 2>>, ReLU>>(Rng(1)));
  check(Model(Sequential(SpectralNorm(Linear<>(3, 2))), Rng(1)));
  check(Model<Sequential<Input<2, 3, 3>, ReflectionPad2d<0>>>(Rng(1)));
  // The shape of a sample is in the file where the model alone was given it.
  const Model given(Sequential(Conv2d<>(1, 8, 3, 1, 1), ReLU(), Flatten(), Linear<>(288, 2)), Shape{1, 6, 6}, Rng(1));
  check(given);
  CHECK(given.architecture().starts_with("Input(channels=1, height=6, width=6), Conv2d("));
  CHECK(given.parameters()[0].name == "0.weight");
  check(Model(Sequential(Tanh()), Shape{3}, Rng(1)));
  check(Model(Sequential<Sequential<Input<2, 4, 4>, Tanh>, Conv2d<2, 1, 3>>(), Rng(1)).at({2, 5, 6}));
}

TEST_CASE("load: the same weights for samples of another height and width") {
  const TemporaryFolder folder;
  using Small = Sequential<Input<1, 6, 6>, Conv2d<1, 2, 3, 1, 1>, ReLU>;
  using Large = Sequential<Input<1, 9, 12>, Conv2d<1, 2, 3, 1, 1>, ReLU>;
  const Model<Small> small(Rng(1));
  const auto placed = small.at({1, 9, 12});
  CHECK(placed.architecture() == Model<Large>(Rng(1)).architecture());
  CHECK(placed.clone().architecture() == placed.architecture());
  CHECK(placed.spec().children[0].text() == "Input(channels=1, height=9, width=12)");
  const Matrix<float> x = Matrix<float>::Random(9 * 12, 2);
  const auto check_loads = [&] {
    Model<Large> model(Rng(2));
    load(folder / "f", model);
    CHECK(model.infer(x) == placed.infer(x));
  };
  save(folder / "f", placed), check_loads();
  save(folder / "f", small), check_loads();
  // A file of a model that was given its shape did not state it once.
  save(folder / "f",
       BasicModel<float>(std::make_shared<Steps<float>>(small.steps()),
                         small.architecture().substr(std::string("Input(channels=1, height=6, width=6), ").size()),
                         [&] {
                           Buffer<float> params = small.zeros();
                           std::ranges::copy(small.params(), params.begin());
                           return params;
                         }(),
                         {}));
  CHECK(SafetensorsFile::read(folder / "f").metadata().at("architecture").starts_with("Conv2d"));
  check_loads();

  Model<Sequential<Input<1, 6, 6>, Conv2d<1, 2, 3, 1, 1>, Tanh>> other(Rng(2));
  CHECK(contains(error_text([&] { load(folder / "f", other); }), "expected a model of architecture 'Input("));
}

TEST_CASE("load: which inputs there are is compared, and their channels") {
  const TemporaryFolder folder;
  using Net = Sequential<Inputs<Input<1, 4, 4>, Input<2>>, Conv2d<3, 2, 1>>;
  const Model<Net> model(Rng(1));
  save(folder / "f", model.at({{1, 6, 8}, {2}}));
  Model<Net> loaded(Rng(2));
  load(folder / "f", loaded);
  CHECK(std::ranges::equal(std::as_const(loaded).params(), model.params()));
  using Later = Sequential<Inputs<Sequential<Input<1, 4, 4>, Conv2d<1, 2, 1>>, Input<2>>, Conv2d<4, 2, 1>>;
  const Model<Later> later(Rng(1));
  save(folder / "later", later.at({{1, 6, 8}, {2}}));
  Model<Later> loaded_later(Rng(2));
  load(folder / "later", loaded_later);
  CHECK(std::ranges::equal(std::as_const(loaded_later).params(), later.params()));
  CHECK(load_network(folder / "later").input_shapes() == std::vector<Shape>{{1, 6, 8}, {2}});
  Model<Sequential<Inputs<Input<2, 4, 4>, Input<1>>, Conv2d<3, 2, 1>>> exchanged(Rng(2));
  CHECK(contains(error_text([&] { load(folder / "f", exchanged); }), "expected a model of architecture 'Inputs("));

  CHECK(detail::same_architecture("Inputs(Input(channels=1, height=4, width=4)), Tanh()",
                                  "Inputs(Input(channels=1, height=5, width=1)), Tanh()"));
  CHECK_FALSE(detail::same_architecture("MyInput(channels=1, height=4)", "MyInput(channels=1, height=5)"));
  CHECK_FALSE(detail::same_architecture("Input(channels=1, height=4", "Input(channels=1, height=5"));
}

TEST_CASE("load_network: a file's word is compared with its tensors before anything is made of it") {
  const Stated stated;
  CHECK(Model(load_network(stated.file("Linear(in_features=3, out_features=2)")), Rng(1)).param_size() == 8);
  // 2^60 parameters: making a model of them would be felt.
  CHECK(contains(stated.error("Linear(in_features=1073741824, out_features=1073741823)"),
                 "tensor '0.weight': expected [1073741823, 1073741824], found [2, 3]"));
  CHECK(contains(stated.error("Linear(in_features=3, out_features=2), Linear(in_features=2, out_features=1)"),
                 "found no tensor of that name"));
  CHECK(contains(stated.error("BatchNorm1d(num_features=3)"), "m: tensor '0.weight': expected [3], found [2, 3]"));
  CHECK(contains(stated.error("Linear(in_features=3, out_features=2), BatchNorm1d(num_features=2)"),
                 "m: tensor '1.weight': expected [2], found no tensor of that name"));
  CHECK(contains(stated.error("Linear(in_features=3, out_features=2), Conv2d(in_channels=2, out_channels=1, "
                              "kernel_size=2)"),
                 "Conv2d: "));
}

TEST_CASE("load_network: the same layers in other words, which load() would refuse") {
  const Stated stated;
  CHECK(contains(stated.error("Linear(in_features=3, out_features=2), LeakyReLU()"),
                 "m: architecture: expected 'Linear(in_features=3, out_features=2), LeakyReLU(negative_slope=0.01)', "
                 "found 'Linear(in_features=3, out_features=2), LeakyReLU()'"));
  CHECK(contains(stated.error("Linear(in_features=3, out_features=2), Dropout(p=0.50)"), "Dropout(p=0.5)', found '"));
  CHECK(contains(stated.error("Linear(in_features=3, out_features=2), Tanh( )"), "Tanh()', found '"));
  CHECK(contains(stated.error("\x1b[2J"), "m: architecture: expected '(' at character 4, found ''"));
  write_safetensors(stated.folder / "none", {});
  CHECK(contains(error_text([&] { load_network(stated.folder / "none"); }),
                 "none: expected the metadata 'architecture', found none"));
}
