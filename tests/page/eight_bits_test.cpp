#include "page/eight_bits.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <eigan/io/write_safetensors.hpp>

#include "io/support.hpp"
#include "page/small_u_net.hpp"

using eigan::Dtype;
using eigan::SafetensorsFile;
using eigan::TensorView;
using test::contains;
using test::error_text;

namespace {

std::vector<float> values(const SafetensorsFile& file, const std::string& name) {
  const auto* tensor = file.find(name);
  REQUIRE(tensor != nullptr);
  std::vector<float> all(file.bytes(*tensor).size() / sizeof(float));
  file.copy_to(*tensor, std::span(all));
  return all;
}

SafetensorsFile file_of(const std::vector<float>& weights, std::uint64_t rows,
                        std::map<std::string, std::string> metadata = {}) {
  const std::vector<float> bias{0.1f, 0.2f};
  return SafetensorsFile(eigan::safetensors_bytes(
      {{"0.weight", Dtype::f32, {rows, weights.size() / rows}, std::as_bytes(std::span(weights))},
       {"0.bias", Dtype::f32, {2}, std::as_bytes(std::span(bias))}},
      metadata));
}

}  // namespace

TEST_CASE("eight_bits: a row is its largest magnitude times whole numbers of 127ths") {
  const SafetensorsFile small(page::with_eight_bits(file_of({127, -64, 0.4f, 0.0127f, 0, -0.001f}, 2)));
  CHECK(small.find("0.weight")->dtype == Dtype::i8);
  CHECK(values(small, "0.weight.scale")[0] == 1);
  const SafetensorsFile full = page::in_full(small);
  const std::vector<float> weights = values(full, "0.weight");
  CHECK(weights[0] == 127);
  CHECK(weights[1] == -64);
  CHECK(weights[2] == 0);
  CHECK(weights[3] == doctest::Approx(0.0127));
  CHECK(weights[5] == doctest::Approx(-0.001));
  CHECK(full.find("0.weight.scale") == nullptr);
}

TEST_CASE("eight_bits: no weight moves further than half a step, vectors and metadata stay") {
  std::vector<float> weights(300);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = std::sin(static_cast<float>(i * i));
  const SafetensorsFile file = file_of(weights, 3, {{"task", "test"}});
  const SafetensorsFile full = page::in_full(SafetensorsFile(page::with_eight_bits(file)));
  const std::vector<float> rounded = values(full, "0.weight");
  for (std::size_t i = 0; i < weights.size(); ++i) CHECK(std::abs(rounded[i] - weights[i]) <= 0.5001f / 127);
  CHECK(values(full, "0.bias") == std::vector<float>{0.1f, 0.2f});
  CHECK(full.metadata() == file.metadata());
}

TEST_CASE("eight_bits: a row of zeros stays one; any other file is left as it is") {
  CHECK(values(page::in_full(SafetensorsFile(page::with_eight_bits(file_of({0, 0, 1, 2}, 2)))), "0.weight")[1] == 0);
  CHECK(values(page::in_full(file_of({3, 4}, 1)), "0.weight") == std::vector<float>{3, 4});
}

TEST_CASE("eight_bits: a whole network is put together from it") {
  const SafetensorsFile file(test::small_u_net(8, 3));
  const page::AnyModel model = page::load_model(SafetensorsFile(page::with_eight_bits(file)));
  CHECK(model.output_shape() == eigan::Shape{3, 8, 8});
}

TEST_CASE("eight_bits: what is wrong is told") {
  const auto told = [](auto f) { return error_text(f); };
  const SafetensorsFile small(page::with_eight_bits(file_of({1, 2}, 1)));
  CHECK(contains(told([&] { page::with_eight_bits(small); }), "expected a model in full, found one of eight bits"));
  CHECK(contains(told([&] {
                   page::with_eight_bits(file_of({1, INFINITY}, 1));
                 }),
                 "expected finite weights, found inf"));

  const std::vector<std::byte> numbers(4);
  const auto with_scales = [&](std::vector<float> scales) {
    return SafetensorsFile(
        eigan::safetensors_bytes({{"0.weight", Dtype::i8, {2, 2}, numbers},
                                  {"0.weight.scale", Dtype::f32, {scales.size()}, std::as_bytes(std::span(scales))}},
                                 {{"quantised", "rows"}}));
  };
  CHECK(contains(told([&] { page::in_full(with_scales({1})); }), "of 2 scales beside it, found [1]"));
  CHECK(contains(told([&] { page::in_full(with_scales({1, NAN})); }), "expected finite scales, found nan"));
  const SafetensorsFile single(
      eigan::safetensors_bytes({{"0.weight", Dtype::i8, {}, std::span(numbers).first(1)}}, {{"quantised", "rows"}}));
  CHECK(contains(told([&] { page::in_full(single); }), "expected rows of eight bits, found a single number"));
}
