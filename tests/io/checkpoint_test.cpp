#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigan/core/random.hpp>
#include <eigan/io/checkpoint.hpp>
#include <eigan/io/model_file.hpp>
#include <eigan/layers/conv2d.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/losses/mse.hpp>
#include <eigan/net/input.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/optim/adam.hpp>
#include <eigan/optim/ema.hpp>
#include <eigan/optim/optimizer.hpp>
#include <eigan/optim/sgd.hpp>

#include "io/support.hpp"

using eigan::load_checkpoint;
using eigan::read_checkpoint;
using eigan::save_checkpoint;
using test::contains;
using test::error_text;
using test::TemporaryFolder;

namespace {

using Net = decltype(eigan::Sequential(eigan::Linear(3, 5), eigan::LeakyReLU(0.1), eigan::Linear(5, 2)));

/// A small training: everything that changes in its steps is its state.
struct Training {
  eigan::Model<Net> model{Net(eigan::Linear(3, 5), eigan::LeakyReLU(0.1), eigan::Linear(5, 2)), eigan::Rng(1)};
  eigan::Adam<float> adam{model.param_size(), {.lr = 0.05}};
  eigan::SGD<float> sgd{model.param_size(), {.lr = 0.01, .momentum = 0.9}};
  eigan::Ema<float> average{std::as_const(model).params(), 0.9};
  std::int64_t steps = 0;
  double sum = 0;
  std::vector<double> losses;
  std::string note;

  template <class Visit>
  void visit_state(Visit&& visit) {
    visit("model", model), visit("adam", adam), visit("sgd", sgd), visit("average", average);
    visit("steps", steps), visit("sum", sum), visit("losses", losses), visit("note", note);
  }

  void step() {
    auto tape = model.tape(4);
    auto grad = model.zeros();
    eigan::Matrix<float> x(3, 4), target(2, 4);
    eigan::fill_uniform(eigan::View<float>(x), -2, 2, eigan::Rng(static_cast<std::uint64_t>(steps)));
    eigan::fill_uniform(eigan::View<float>(target), -2, 2, eigan::Rng(9));
    const auto y = model.forward(tape, eigan::ConstView<float>(x));
    const double loss = static_cast<double>(eigan::mse<float>(y, target, tape.output_gradient()));
    model.backward_params(tape, grad);
    adam.step(model.params(), grad);
    sgd.step(model.params(), grad);
    average.update(std::as_const(model).params());
    ++steps, sum += loss, losses.push_back(loss), note += 'x';
  }
  void run(int count) {
    for (int i = 0; i < count; ++i) step();
  }
};

/// The whole state, as bytes.
std::string bytes_of(Training& training) {
  const TemporaryFolder folder;
  save_checkpoint(folder / "f", training);
  return test::text_of(eigan::read_file(folder / "f"));
}

}  // namespace

TEST_CASE("checkpoint: N steps, a file, another process's M steps: the same bits as N + M steps") {
  const TemporaryFolder folder;
  Training whole;
  whole.run(7);
  for (const int before : {0, 1, 4, 7}) {
    Training first, second;
    first.run(before);
    save_checkpoint(folder / "f", first);
    load_checkpoint(folder / "f", second);
    CHECK(bytes_of(second) == bytes_of(first));
    second.run(7 - before);
    CHECK(bytes_of(second) == bytes_of(whole));
    CHECK(second.losses == whole.losses);
  }
}

TEST_CASE("checkpoint: it is a safetensors file with PyTorch's names, and says what it is") {
  const TemporaryFolder folder;
  Training training;
  training.run(2);
  save_checkpoint(folder / "f", training, {{"mood", "good"}, {"format", "mine"}});
  const auto file = read_checkpoint(folder / "f");
  REQUIRE(file.find("model.0.weight") != nullptr);
  CHECK(file.find("model.0.weight")->shape == std::vector<std::uint64_t>{5, 3});
  std::vector<float> weight(15);
  file.copy_to(*file.find("model.0.weight"), std::span(weight));
  CHECK(weight[1] == training.model.params()[5]);  // row-major in the file, column-major in the buffer
  CHECK(file.find("adam.exp_avg_sq")->dtype == eigan::Dtype::f32);
  CHECK(file.find("adam.step")->dtype == eigan::Dtype::i64);
  CHECK(file.find("adam.step")->shape.empty());
  CHECK(file.find("losses")->dtype == eigan::Dtype::f64);
  CHECK(file.find("note")->dtype == eigan::Dtype::u8);
  CHECK(file.metadata().at("mood") == "good");
  CHECK(file.metadata().at("format") == "eigan");
  CHECK(file.metadata().at("content") == "checkpoint");
  CHECK(file.metadata().at("model.architecture") == training.model.architecture());
}

TEST_CASE("checkpoint: a state can be a function that names its parts") {
  const TemporaryFolder folder;
  std::int64_t step = 5;
  std::vector<float> values{1, 2, 3};
  float fixed[2] = {4, 5};
  bool flag = true;
  const auto state = [&](auto visit) {
    visit("step", step), visit("values", values), visit("fixed", fixed), visit("flag", flag);
  };
  save_checkpoint(folder / "f", state);
  step = 0, values.clear(), fixed[1] = 0, flag = false;
  load_checkpoint(folder / "f", state);
  CHECK(step == 5);
  CHECK(values == std::vector<float>{1, 2, 3});
  CHECK(fixed[1] == 5);
  CHECK(flag);
}

TEST_CASE("checkpoint: what does not fit is told, and changes nothing") {
  const TemporaryFolder folder;
  Training training;
  training.run(3);
  save_checkpoint(folder / "f", training);
  training.run(1);
  const std::string before = bytes_of(training);
  const auto fails = [&](auto&& state, std::initializer_list<const char*> words) {
    const std::string text = error_text([&] { load_checkpoint(folder / "f", state); });
    for (const char* word : words) CHECK_MESSAGE(contains(text, word), text);
    CHECK(bytes_of(training) == before);
  };
  std::int32_t narrow = 0;
  std::vector<float> scalar;
  fails([&](auto visit) { training.visit_state(visit), visit("more", training.sum); }, {"'more'", "F64", "no tensor"});
  fails([&](auto visit) { visit("model", training.model); }, {"expected only the state's 4 tensors"});
  fails([&](auto visit) { visit("losses", training.losses), visit("steps", narrow); }, {"'steps'", "I32", "I64"});
  fails([&](auto visit) { visit("losses", training.losses), visit("sum", training.losses); }, {"'sum'", "a vector"});
  fails([&](auto visit) { visit("losses", training.sum); }, {"'losses'", "[]", "[3]"});
  eigan::Adam<float> larger(48);
  fails([&](auto visit) { visit("adam", larger); }, {"'adam.exp_avg'", "[48]", "[32]"});
  auto other =
      eigan::Model(eigan::Sequential(eigan::Linear(3, 5), eigan::LeakyReLU(0.2), eigan::Linear(5, 2)), eigan::Rng(1));
  fails([&](auto visit) { visit("model", other); }, {"'model' of architecture", "0.2", "0.1"});
  CHECK_THROWS_AS(save_checkpoint(folder / "g", [&](auto visit) { visit("a", narrow), visit("a", narrow); }),
                  std::invalid_argument);
}

TEST_CASE("checkpoint: a byte that is neither 0 nor 1 is no bool") {
  const TemporaryFolder folder;
  bool flag = true, flags[2] = {true, false};
  std::vector<std::byte> bytes{std::byte{1}, std::byte{0}, std::byte{2}};
  const auto all = std::span<const std::byte>(bytes);
  const auto load = [&] {
    std::map<std::string, std::string> metadata{{"eigan_version", eigan::version}};
    metadata["checksum"] = eigan::detail::checksum_of(
        std::map<std::string_view, std::span<const std::byte>>{{"flag", all.first(1)}, {"flags", all.last(2)}},
        metadata);
    eigan::write_safetensors(
        folder / "f",
        {{"flag", eigan::Dtype::boolean, {}, all.first(1)}, {"flags", eigan::Dtype::boolean, {2}, all.last(2)}},
        metadata);
    load_checkpoint(folder / "f", [&](auto visit) { visit("flag", flag), visit("flags", flags); });
  };
  CHECK(contains(error_text(load), "tensor 'flags': expected bytes 0 and 1, found 2"));
  bytes[0] = std::byte{255};
  CHECK(contains(error_text(load), "tensor 'flag': expected bytes 0 and 1, found 255"));
  CHECK((flag && flags[0] && !flags[1]));
  bytes = {std::byte{0}, std::byte{0}, std::byte{1}};
  load();
  CHECK((!flag && !flags[0] && flags[1]));
}

TEST_CASE("checkpoint: a clock outside its limits is refused") {
  const TemporaryFolder folder;
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t clock : {std::int64_t{-1}, std::int64_t{1} << 53, (std::int64_t{1} << 53) + 1, most}) {
    CAPTURE(clock);
    std::int64_t step = clock;
    eigan::Buffer<float> zeros(3);
    std::vector<float> average{1, 2, 3};
    save_checkpoint(folder / "f", [&](auto visit) {
      visit("adam.step", step), visit("adam.exp_avg", zeros), visit("adam.exp_avg_sq", zeros);
      visit("ema.updates", step), visit("ema.average", average);
    });
    eigan::Adam<float> adam(3);
    const std::vector<float> params{4, 4, 4};
    eigan::Ema<float> ema{std::span(params)};
    const auto load = [&](auto&& state) { return error_text([&] { load_checkpoint(folder / "f", state); }); };
    if (clock == std::int64_t{1} << 53) {
      load_checkpoint(folder / "f", [&](auto visit) { visit("adam", adam), visit("ema", ema); });
      CHECK(adam.steps() == clock);
      continue;
    }
    const std::string words = "expected 0 to 9007199254740992, found " + std::to_string(clock);
    CHECK(contains(load([&](auto visit) { visit("ema", ema), visit("adam", adam); }), "'ema.updates': " + words));
    CHECK(contains(load([&](auto visit) { visit("adam", adam), visit("ema", ema); }), "'adam.step': " + words));
    CHECK(adam.steps() == 0);
    CHECK(ema.updates() == 0);
    CHECK(ema.params()[0] == 4);
  }
}

TEST_CASE("checkpoint: an error says which version wrote the file, if that may be why") {
  const TemporaryFolder folder;
  std::int64_t step = 5;
  double wide = 0;
  const auto fails = [&] {
    return error_text([&] { load_checkpoint(folder / "f", [&](auto visit) { visit("step", wide); }); });
  };
  save_checkpoint(folder / "f", [&](auto visit) { visit("step", step); });
  CHECK(!contains(fails(), "written by"));
  const auto file = read_checkpoint(folder / "f");
  auto metadata = file.metadata();
  metadata["eigan_version"] = "0.0.9";
  const auto& tensor = file.tensors()[0];
  const std::map<std::string_view, std::span<const std::byte>> tensors{{"step", file.bytes(tensor)}};
  metadata["checksum"] = eigan::detail::checksum_of(tensors, metadata);
  eigan::write_safetensors(folder / "f", {{"step", tensor.dtype, {}, file.bytes(tensor)}}, metadata);
  CHECK(contains(fails(), eigan::detail::concat("'step': expected F64, found I64 (written by eigan 0.0.9, this is ",
                                                eigan::version, ")")));
}

TEST_CASE("checkpoint: a change of any byte of it is noticed") {
  const TemporaryFolder folder;
  std::int64_t step = 5;
  std::vector<float> values{1, 2, 3};
  const auto state = [&](auto visit) { visit("step", step), visit("values", values); };
  save_checkpoint(folder / "f", state, {{"option", "on"}});
  const std::string good = test::text_of(eigan::read_file(folder / "f"));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    eigan::write_file(folder / "f", bad);
    CHECK_MESSAGE(!error_text([&] { load_checkpoint(folder / "f", state); }).empty(), i);
  }
  CHECK(step == 5);
  eigan::save(folder / "model", Training().model);
  CHECK(contains(error_text([&] { read_checkpoint(folder / "model"); }), "'checksum'"));
}

TEST_CASE("checkpoint: the one before is kept where that is wanted") {
  const TemporaryFolder folder;
  std::int64_t step = 1;
  const auto state = [&](auto visit) { visit("step", step); };
  const auto stored = [&](const char* name) {
    load_checkpoint(folder / name, state);
    return step;
  };
  save_checkpoint(folder / "f", state, {}, folder / "before");
  CHECK(!std::filesystem::exists(folder / "before"));
  step = 2;
  save_checkpoint(folder / "f", state, {}, folder / "before");
  CHECK(stored("before") == 1);
  CHECK(stored("f") == 2);
  step = 3;
  save_checkpoint(folder / "f", state, {}, folder / "before");
  CHECK(stored("before") == 2);
}

TEST_CASE("checkpoint: a training goes on with samples of another height and width") {
  const TemporaryFolder folder;
  using Images = eigan::Sequential<eigan::Input<1, 4, 4>, eigan::Conv2d<1, 2, 3>>;
  const eigan::Model<Images> model(eigan::Rng(1));
  const auto state = [](auto& m) { return [&](auto visit) { visit("model", m); }; };
  save_checkpoint(folder / "f", state(model));
  auto larger = eigan::Model<Images>(eigan::Rng(2)).at({1, 8, 6});
  load_checkpoint(folder / "f", state(larger));
  CHECK(std::ranges::equal(std::as_const(larger).params(), model.params()));
}
