#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <eigan/io/model_file.hpp>

#include "hostile.hpp"
#include "io/support.hpp"

using eigan::Dtype;
using eigan::Index;
using eigan::Parameter;
using eigan::SafetensorsFile;
using test::contains;
using test::error_text;
using test::TemporaryFolder;

namespace {

// What eigan::Model offers to the file code. Its buffer has a gap that belongs to no parameter.
template <class T>
struct StubModel {
  std::vector<T> buffer = std::vector<T>(14, T(-1));
  std::string architecture_text = "Linear(3 -> 2), LeakyReLU(0.2)";

  std::span<T> params() { return buffer; }
  std::span<const T> params() const { return buffer; }
  std::vector<Parameter> tensors{{"0.weight", 0, 2, 3, 2}, {"0.bias", 8, 2, 1, 1}, {"2.weight", 10, 1, 4, 2}};

  std::vector<Parameter> parameters() const { return tensors; }
  std::string architecture() const { return architecture_text; }

  void fill() { std::iota(buffer.begin(), buffer.end(), T(0)); }
};

std::vector<float> floats(const SafetensorsFile& file, const std::string& name) {
  const auto* tensor = file.find(name);
  REQUIRE(tensor != nullptr);
  std::vector<float> values(file.bytes(*tensor).size() / eigan::dtype_size(tensor->dtype));
  file.copy_to(*tensor, std::span(values));
  return values;
}

template <class T>
eigan::TensorView tensor(const std::string& name, Dtype dtype, std::vector<std::uint64_t> shape,
                         const std::vector<T>& values) {
  return {name, dtype, std::move(shape), std::as_bytes(std::span(values))};
}

}  // namespace

TEST_CASE("model_file: a matrix is column-major in the buffer and row-major in the file") {
  const TemporaryFolder folder;
  StubModel<float> model;
  model.fill();  // weight columns: (0 1) (2 3) (4 5)
  eigan::save(folder / "f", model);
  const auto file = SafetensorsFile::read(folder / "f");
  CHECK(file.find("0.weight")->shape == std::vector<std::uint64_t>{2, 3});
  CHECK(file.find("0.bias")->shape == std::vector<std::uint64_t>{2});
  CHECK(file.find("2.weight")->shape == std::vector<std::uint64_t>{1, 4});
  CHECK(floats(file, "0.weight") == std::vector<float>{0, 2, 4, 1, 3, 5});
  CHECK(floats(file, "0.bias") == std::vector<float>{8, 9});
  CHECK(floats(file, "2.weight") == std::vector<float>{10, 11, 12, 13});
  CHECK(file.tensors().size() == 3);
}

TEST_CASE("model_file: what is saved is loaded, bit for bit, and nothing beside the parameters is touched") {
  const TemporaryFolder folder;
  StubModel<double> model, loaded;
  model.fill();
  model.buffer[0] = std::numeric_limits<double>::quiet_NaN();
  model.buffer[1] = -0.0;
  model.buffer[2] = 0.1;
  eigan::save(folder / "f", model);
  CHECK(SafetensorsFile::read(folder / "f").find("0.bias")->dtype == Dtype::f64);
  eigan::load(folder / "f", loaded);
  CHECK(loaded.buffer[6] == -1);
  CHECK(loaded.buffer[7] == -1);
  loaded.buffer[6] = model.buffer[6];
  loaded.buffer[7] = model.buffer[7];
  const auto bytes = [](const auto& m) { return std::as_bytes(std::span(m.buffer.data(), 14)); };
  CHECK(std::ranges::equal(bytes(loaded), bytes(model)));
}

TEST_CASE("model_file: float and double models read each other's files") {
  const TemporaryFolder folder;
  StubModel<double> wide, wide_again;
  StubModel<float> narrow;
  wide.fill();
  wide.buffer[3] = 0.1;
  eigan::save(folder / "wide", wide);
  eigan::load(folder / "wide", narrow);
  CHECK(narrow.buffer[3] == 0.1f);
  CHECK(narrow.buffer[13] == 13.0f);
  eigan::save(folder / "narrow", narrow);
  CHECK(SafetensorsFile::read(folder / "narrow").find("0.bias")->dtype == Dtype::f32);
  eigan::load(folder / "narrow", wide_again);
  CHECK(wide_again.buffer[3] == static_cast<double>(0.1f));
}

TEST_CASE("model_file: model_bytes gives what save writes, and that loads from memory") {
  const TemporaryFolder folder;
  StubModel<float> model, loaded;
  model.fill();
  eigan::save(folder / "model.safetensors", model, {{"epoch", "3"}});
  const std::vector<std::byte> bytes = eigan::model_bytes(model, {{"epoch", "3"}});
  CHECK(bytes == eigan::read_file(folder / "model.safetensors"));
  eigan::load(SafetensorsFile(bytes), loaded);
  CHECK(loaded.buffer[0] == 0);
  CHECK(loaded.buffer[10] == 10);
}

TEST_CASE("model_file: the metadata says what the file is, and more if the caller wishes") {
  const TemporaryFolder folder;
  const StubModel<float> model;
  eigan::save(folder / "f", model, {{"seed", "7"}, {"format", "nonsense"}});
  CHECK(SafetensorsFile::read(folder / "f").metadata() ==
        std::map<std::string, std::string>{{"format", "eigan"},
                                           {"eigan_version", eigan::version},
                                           {"architecture", model.architecture()},
                                           {"seed", "7"}});
}

TEST_CASE("model_file: a file from PyTorch, without metadata and in any order, is loaded") {
  const TemporaryFolder folder;
  const std::vector<float> weight{0, 2, 4, 1, 3, 5}, bias{8, 9}, last{10, 11, 12, 13};
  eigan::write_safetensors(folder / "f",
                           {tensor("2.weight", Dtype::f32, {1, 4}, last), tensor("0.bias", Dtype::f32, {2}, bias),
                            tensor("0.weight", Dtype::f32, {2, 3}, weight)});
  StubModel<float> model, expected;
  eigan::load(folder / "f", model);
  expected.fill();
  expected.buffer[6] = expected.buffer[7] = -1;
  CHECK(model.buffer == expected.buffer);
}

TEST_CASE("model_file: what does not fit is told in one line, and the parameters stay as they are") {
  const TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  const std::vector<float> values(64, 5.0f);
  const std::vector<double> wide(64, 5.0);
  const auto view = [&](const std::string& name, std::vector<std::uint64_t> shape, Dtype dtype = Dtype::f32) {
    std::uint64_t size = 0;
    REQUIRE(eigan::detail::checked_byte_size(dtype, shape, size));
    return eigan::TensorView{name, dtype, std::move(shape), std::as_bytes(std::span(wide)).first(size)};
  };
  const auto refusal = [&](const std::vector<eigan::TensorView>& tensors,
                           const std::map<std::string, std::string>& metadata = {}) {
    eigan::write_safetensors(path, tensors, metadata);
    StubModel<float> model;
    const auto text = error_text([&] { eigan::load(path, model); });
    CHECK(model.buffer == StubModel<float>().buffer);
    CHECK(text.rfind(path.string() + ": ", 0) == 0);
    return text.substr(std::min(text.size(), path.string().size() + 2));
  };
  const auto weight = view("0.weight", {2, 3}), bias = view("0.bias", {2}), last = view("2.weight", {1, 4});

  CHECK(refusal({}) == "tensor '0.weight': expected [2, 3], found no tensor of that name");
  CHECK(refusal({weight, bias}) == "tensor '2.weight': expected [1, 4], found no tensor of that name");
  CHECK(refusal({view("0.weight", {3, 2}), bias, last}) == "tensor '0.weight': expected [2, 3], found [3, 2]");
  CHECK(refusal({view("0.weight", {6}), bias, last}) == "tensor '0.weight': expected [2, 3], found [6]");
  CHECK(refusal({weight, view("0.bias", {2, 1}), last}) == "tensor '0.bias': expected [2], found [2, 1]");
  CHECK(refusal({weight, bias, view("2.weight", {1, 4}, Dtype::i64)}) ==
        "tensor '2.weight': expected dtype F64, F32, F16 or BF16, found I64");
  auto strange = view("2.weight", {1, 4}, Dtype::other);
  strange.other = "F8_E4M3";
  CHECK(refusal({weight, bias, strange}) == "tensor '2.weight': expected dtype F64, F32, F16 or BF16, found F8_E4M3");
  CHECK(refusal({weight, bias, last, view("2.bias", {1})}) ==
        "tensor '2.bias': expected only the model's 3 tensors, found one that it does not have");
  CHECK(refusal({weight, bias, last}, {{"architecture", "Linear(3 -> 4)"}}) ==
        "expected a model of architecture 'Linear(3 -> 2), LeakyReLU(0.2)', found 'Linear(3 -> 4)'");
  CHECK(contains(refusal({}, {{"architecture", "\x1b[2J\n"}}), "found '\\x1b[2J\\x0a'"));

  eigan::write_file(path, "no model");
  StubModel<float> model;
  error_text([&] { eigan::load(path, model); });
  CHECK(model.buffer == StubModel<float>().buffer);
}

TEST_CASE("model_file: hostile files: refused, and the parameters stay as they are, or loaded as they stand there") {
  const TemporaryFolder folder;
  StubModel<float> saved;
  saved.fill();
  eigan::save(folder / "f", saved);
  const auto bytes = eigan::read_file(folder / "f");
  const std::vector<float> before = StubModel<float>().buffer;
  const auto read = [&](const std::vector<std::byte>& damaged) {
    StubModel<float> model;
    try {
      const SafetensorsFile file(damaged, "f");
      eigan::load(file, model);
      CHECK(floats(file, "0.bias") == std::vector<float>{model.buffer[8], model.buffer[9]});
      CHECK(floats(file, "2.weight") == std::vector<float>(model.buffer.begin() + 10, model.buffer.end()));
    } catch (const eigan::Error&) {
      CHECK(model.buffer == before);
      throw;
    }
  };
  CHECK(hostile::cut(bytes, read).accepted == 0);
  const std::size_t data = bytes.size() - 12 * sizeof(float);
  const auto flipped = hostile::flip(bytes, read);
  CHECK(flipped.refused > static_cast<int>(4 * data));
  CHECK(hostile::set_number(bytes, 0, 8, std::endian::little, read).accepted == 0);
}

TEST_CASE("model_file: half-precision tensors load, every value exact") {
  const TemporaryFolder folder;
  const std::vector<std::uint16_t> f16{0x0000, 0x3C00, 0xC000, 0x7BFF, 0x0001, 0x3555};
  const std::vector<std::uint16_t> bf16{0x3F80, 0xC040, 0x0001, 0x7F7F};
  const std::vector<double> bias{0.1, -1};
  eigan::write_safetensors(folder / "f",
                           {tensor("0.weight", Dtype::f16, {2, 3}, f16), tensor("2.weight", Dtype::bf16, {1, 4}, bf16),
                            tensor("0.bias", Dtype::f64, {2}, bias)});
  const auto check = [&](auto model) {
    using T = std::remove_cvref_t<decltype(model.buffer[0])>;
    eigan::load(folder / "f", model);
    const std::vector<T> weight(model.buffer.begin(), model.buffer.begin() + 6),
        last(model.buffer.begin() + 10, model.buffer.end());
    CHECK(weight == std::vector<T>{T(0), T(65504), T(1), static_cast<T>(0x1p-24), T(-2), static_cast<T>(0x1.554p-2)});
    CHECK(last == std::vector<T>{T(1), T(-3), static_cast<T>(0x1p-133), static_cast<T>(0x1.FEp127)});
    CHECK(model.buffer[8] == static_cast<T>(0.1));
  };
  check(StubModel<float>());
  check(StubModel<double>());
}

TEST_CASE("model_file: a tensor has the file's extents and order, whatever lies in the buffer") {
  const TemporaryFolder folder;
  // A convolution of 2 channels to 2 with a 1 x 3 kernel: out x (kh kw in) here, [out, in, kh, kw] in the file.
  StubModel<float> saved, loaded;
  saved.fill();
  saved.tensors = {{"0.weight", 1, 2, 6, 2, {2, 2, 1, 3}, {1, 2, 12, 4}}};
  loaded.tensors = saved.tensors;
  eigan::save(folder / "f", saved);
  const auto file = SafetensorsFile::read(folder / "f");
  CHECK(file.find("0.weight")->shape == std::vector<std::uint64_t>{2, 2, 1, 3});
  CHECK(floats(file, "0.weight") == std::vector<float>{1, 5, 9, 3, 7, 11, 2, 6, 10, 4, 8, 12});
  eigan::load(folder / "f", loaded);
  saved.buffer[0] = saved.buffer[13] = -1;
  CHECK(loaded.buffer == saved.buffer);
}

namespace {

// A model with a state: two statistics and a count, as batch normalisation has them.
struct StateModel : StubModel<float> {
  std::vector<float> kept{0, 0, 0};

  std::span<float> state() { return kept; }
  std::span<const float> state() const { return kept; }
  std::vector<Parameter> states() const {
    return {{"1.running_mean", 0, 2, 1, 1}, {"1.num_batches_tracked", 2, 1, 1, 0, {}, {}, true}};
  }
};

}  // namespace

TEST_CASE("model_file: the state stands beside the parameters, a count as int64") {
  const TemporaryFolder folder;
  StateModel saved, loaded;
  saved.fill();
  saved.kept = {0.5f, -2, 7};
  eigan::save(folder / "f", saved);
  const auto file = SafetensorsFile::read(folder / "f");
  CHECK(floats(file, "1.running_mean") == std::vector<float>{0.5f, -2});
  const auto* const count = file.find("1.num_batches_tracked");
  REQUIRE(count != nullptr);
  CHECK(count->dtype == Dtype::i64);
  CHECK(count->shape.empty());
  CHECK(file.bytes(*count)[0] == std::byte{7});
  eigan::load(folder / "f", loaded);
  CHECK(loaded.kept == saved.kept);
  saved.kept[2] = std::numeric_limits<float>::quiet_NaN();
  CHECK(contains(error_text<std::invalid_argument>([&] { eigan::save(folder / "g", saved); }),
                 "tensor '1.num_batches_tracked': expected a count, found nan"));
  CHECK(folder.names() == std::vector<std::string>{"f"});
}

TEST_CASE("model_file: files without a count hold statistics that were set once; what is no count is refused") {
  const TemporaryFolder folder;
  const std::vector<float> weight{0, 2, 4, 1, 3, 5}, bias{8, 9}, last{10, 11, 12, 13}, mean{0.5f, -2};
  std::vector<eigan::TensorView> tensors{
      tensor("0.weight", Dtype::f32, {2, 3}, weight), tensor("0.bias", Dtype::f32, {2}, bias),
      tensor("2.weight", Dtype::f32, {1, 4}, last), tensor("1.running_mean", Dtype::f32, {2}, mean)};
  eigan::write_safetensors(folder / "f", tensors);
  StateModel model;
  eigan::load(folder / "f", model);
  CHECK(model.kept == std::vector<float>{0.5f, -2, 1});

  for (const std::int64_t count : {std::int64_t{-1}, std::numeric_limits<std::int64_t>::max(), std::int64_t{3}}) {
    CAPTURE(count);
    const std::vector<std::int64_t> number{count};
    auto more = tensors;
    more.push_back(tensor("1.num_batches_tracked", Dtype::i64, {}, number));
    eigan::write_safetensors(folder / "f", more);
    StateModel other;
    if (count == 3) {
      eigan::load(folder / "f", other);
      CHECK(other.kept[2] == 3);
    } else {
      CHECK(contains(error_text([&] { eigan::load(folder / "f", other); }),
                     "tensor '1.num_batches_tracked': expected a count from 0 to 9007199254740992, found " +
                         std::to_string(count)));
      CHECK(other.kept == std::vector<float>{0, 0, 0});
      CHECK(other.buffer == StubModel<float>().buffer);
    }
  }
}

TEST_CASE("model_file: a part of what a file holds, under the file's names for it") {
  const TemporaryFolder folder;
  const std::vector<float> weight{0, 2, 4, 1, 3, 5}, bias{8, 9}, last{10, 11, 12, 13}, other(100);
  std::vector<eigan::TensorView> tensors{tensor("model.encoder.0.weight", Dtype::f32, {2, 3}, weight),
                                         tensor("model.encoder.0.bias", Dtype::f32, {2}, bias),
                                         tensor("model.encoder.2.weight", Dtype::f32, {1, 4}, last),
                                         tensor("model.decoder.0.weight", Dtype::f32, {100}, other)};
  eigan::write_safetensors(folder / "f", tensors, {{"architecture", "of the whole"}});
  StubModel<float> model, expected;
  expected.fill();
  expected.buffer[6] = expected.buffer[7] = -1;
  eigan::load(folder / "f", model, eigan::strip_prefix("model.encoder."));
  CHECK(model.buffer == expected.buffer);

  CHECK(contains(error_text([&] { eigan::load(folder / "f", model, eigan::strip_prefix("model.")); }),
                 "tensor '0.weight': expected [2, 3], found no tensor of that name"));
  const auto last_part = [](const std::string& name) { return name.substr(name.size() - 8); };
  CHECK(contains(error_text([&] { eigan::load(folder / "f", model, last_part); }),
                 "tensor 'model.encoder.0.weight': expected a name of its own, '0.weight' is that of "
                 "'model.decoder.0.weight'"));
  CHECK(model.buffer == expected.buffer);
}

TEST_CASE("model_file: parameters outside the buffer are a programming error") {
  const TemporaryFolder folder;
  StubModel<float> model;
  for (const Parameter& p : {Parameter{"w", 0, 15, 1, 1},
                             {"w", 9, 2, 3, 2},
                             {"w", -1, 2, 2, 2},
                             {"w", 0, -1, 2, 2},
                             {"w", 0, Index{1} << 32, Index{1} << 32, 2},
                             {"w", std::numeric_limits<Index>::max(), 1, 1, 1},
                             {"w", 0, 2, 2, 1},
                             {"w", 0, 2, 1, 0},
                             {"w", 0, 2, 2, 3},
                             {"w", 0, 2, 2, -1},
                             {"w", 0, 2, 2, 2, {2, 2}, {1}},
                             {"w", 0, 2, 2, 2, {2, 3}, {1, 2}},
                             {"w", 0, 2, 2, 2, {2, 2}, {1, 3}},
                             {"w", 0, 2, 2, 2, {2, 2}, {1, -1}},
                             {"w", 0, 2, 2, 2, {-2, -2}, {1, 1}},
                             {"w", 0, 2, 2, 2, {2, 2}, {1, std::numeric_limits<Index>::max()}}}) {
    model.tensors = {p};
    const std::string expected = "parameter 'w': expected a number, vector or matrix inside 14 elements";
    CHECK(contains(error_text<std::invalid_argument>([&] { eigan::save(folder / "f", model); }), expected));
    CHECK(folder.names().empty());
    StubModel<float> good;
    good.tensors = {{"w", 0, 2, 2, 2}};
    eigan::save(folder / "good", good);
    CHECK(contains(error_text<std::invalid_argument>([&] { eigan::load(folder / "good", model); }), expected));
    std::filesystem::remove(folder / "good");
  }
}

TEST_CASE("model_file: empty parameters are possible") {
  const TemporaryFolder folder;
  StubModel<float> model;
  model.tensors = {{"w", 0, 0, 3, 2}, {"b", 0, 0, 1, 1}, {"k", 0, 0, 9, 2, {0, 1, 3, 3}, {1, 0, 0, 0}}};
  eigan::save(folder / "f", model);
  eigan::load(folder / "f", model);
  CHECK(SafetensorsFile::read(folder / "f").find("w")->shape == std::vector<std::uint64_t>{0, 3});
  CHECK(SafetensorsFile::read(folder / "f").find("k")->shape == std::vector<std::uint64_t>{0, 1, 3, 3});
}
