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
  std::vector<Parameter> parameters() const {
    return {{"0.weight", 0, 2, 3, 2}, {"0.bias", 8, 2, 1, 1}, {"2.weight", 10, 1, 4, 2}};
  }
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
        "tensor '2.weight': expected dtype F32 or F64, found I64");
  CHECK(refusal({weight, bias, view("2.weight", {1, 4}, Dtype::f16)}) ==
        "tensor '2.weight': expected dtype F32 or F64, found F16");
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

TEST_CASE("model_file: parameters outside the buffer are a programming error") {
  const TemporaryFolder folder;
  std::vector<float> buffer(10);
  for (const Parameter& p : {Parameter{"w", 0, 11, 1, 1},
                             {"w", 5, 2, 3, 2},
                             {"w", -1, 2, 2, 2},
                             {"w", 0, -1, 2, 2},
                             {"w", 0, Index{1} << 32, Index{1} << 32, 2},
                             {"w", std::numeric_limits<Index>::max(), 1, 1, 1},
                             {"w", 0, 2, 2, 1},
                             {"w", 0, 2, 2, 3}}) {
    const auto text = error_text<std::invalid_argument>(
        [&] { eigan::save_parameters(folder / "f", std::span<const float>(buffer), {p}, ""); });
    CHECK(contains(text, "parameter 'w': expected a vector or matrix inside 10 elements"));
    CHECK(folder.names().empty());
  }
}

TEST_CASE("model_file: empty parameters are possible") {
  const TemporaryFolder folder;
  std::vector<float> none;
  const std::vector<Parameter> parameters{{"w", 0, 0, 3, 2}, {"b", 0, 0, 1, 1}};
  eigan::save_parameters(folder / "f", std::span<const float>(none), parameters, "empty");
  eigan::load_parameters(folder / "f", std::span(none), parameters, "empty");
  CHECK(SafetensorsFile::read(folder / "f").find("w")->shape == std::vector<std::uint64_t>{0, 3});
}
