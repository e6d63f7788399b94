#include <doctest/doctest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <eigan/io/write_safetensors.hpp>

#include "io/support.hpp"

using eigan::Dtype;
using eigan::SafetensorsFile;
using eigan::TensorView;
using eigan::write_safetensors;
using test::contains;
using test::error_text;
using test::TemporaryFolder;

namespace {

const std::vector<std::byte> zeros(64);
std::span<const std::byte> data(std::size_t size) {
  return std::span(zeros).first(size);
}

std::string header_of(std::vector<TensorView> tensors, const std::map<std::string, std::string>& metadata = {}) {
  return eigan::detail::safetensors_header(tensors, metadata).substr(8);
}

}  // namespace

TEST_CASE("write_safetensors: the header is the reference's, byte for byte") {
  CHECK(header_of({}) == "{}      ");
  // 64 bytes, no filling: the reference's own example.
  CHECK(header_of({{"attn.0", Dtype::f32, {1, 2, 3}, data(24)}}) ==
        R"({"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}})");
  CHECK(header_of({{"attn0", Dtype::f32, {1, 2, 3}, data(24)}}) ==
        R"({"attn0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}} )");
  CHECK(header_of({{"s", Dtype::u8, {}, data(1)}}, {{"b", "2"}, {"a", "1"}}) ==
        R"({"__metadata__":{"a":"1","b":"2"},"s":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}   )");
  CHECK(header_of({}, {{"a", "1"}}) == R"({"__metadata__":{"a":"1"}}      )");
}

TEST_CASE("write_safetensors: tensors are sorted by falling alignment, then by name") {
  const TemporaryFolder folder;
  write_safetensors(folder / "f", {{"a", Dtype::u8, {1}, data(1)},
                                   {"b", Dtype::f64, {1}, data(8)},
                                   {"d", Dtype::f32, {1}, data(4)},
                                   {"c", Dtype::f32, {1}, data(4)},
                                   {"e", Dtype::i64, {1}, data(8)},
                                   {"f", Dtype::bf16, {1}, data(2)}});
  std::string order;
  const auto file = SafetensorsFile::read(folder / "f");
  for (const auto& tensor : file.tensors()) order += tensor.name;
  CHECK(order == "ebcdfa");
}

TEST_CASE("write_safetensors: the data begins at a multiple of 8 and is what was given") {
  const TemporaryFolder folder;
  const std::vector<double> values{1.5, std::numeric_limits<double>::quiet_NaN(), -0.0};
  for (std::size_t length = 0; length < 9; ++length) {
    write_safetensors(folder / "f", {{std::string(length, 'n'), Dtype::f64, {3}, std::as_bytes(std::span(values))}});
    const auto bytes = eigan::read_file(folder / "f");
    CHECK(bytes.size() % 8 == 0);
    const SafetensorsFile file(bytes);
    CHECK(std::ranges::equal(file.bytes(file.tensors()[0]), std::as_bytes(std::span(values))));
  }
}

TEST_CASE("write_safetensors: names and metadata of any text survive, also in an independent parser") {
  const TemporaryFolder folder;
  const std::string odd = std::string("\0\x1f\"\\/\n\x7f", 7) + "\xC3\xA9\xF0\x9F\x98\x80";
  write_safetensors(folder / "f", {{odd, Dtype::u8, {1}, data(1)}}, {{odd, odd}, {"", ""}});
  const auto bytes = eigan::read_file(folder / "f");
  const SafetensorsFile file(bytes);
  CHECK(file.find(odd) != nullptr);
  CHECK(file.metadata() == std::map<std::string, std::string>{{odd, odd}, {"", ""}});
  const std::string text = test::text_of(bytes);
  const auto oracle = nlohmann::json::parse(text.substr(8, text.size() - 9));
  CHECK(oracle.at("__metadata__") == file.metadata());
  CHECK(oracle.contains(odd));
}

TEST_CASE("write_safetensors: what would be no valid file is refused before anything is written") {
  const TemporaryFolder folder;
  const auto refused = [&](std::vector<TensorView> tensors, const std::map<std::string, std::string>& metadata,
                           const char* reason) {
    const auto text =
        error_text<std::invalid_argument>([&] { write_safetensors(folder / "f", std::move(tensors), metadata); });
    CHECK(contains(text, reason));
    CHECK(folder.names().empty());
  };
  refused({{"a", Dtype::u8, {1}, data(1)}, {"a", Dtype::f32, {1}, data(4)}}, {},
          "expected names that are not taken, found 'a'");
  refused({{"__metadata__", Dtype::u8, {1}, data(1)}}, {}, "found '__metadata__'");
  refused({{"a", Dtype::f32, {2, 3}, data(23)}}, {}, "tensor 'a': expected the bytes of F32 [2, 3], found 23");
  refused({{"a", Dtype::u8, {UINT64_MAX, 2}, data(0)}}, {}, "tensor 'a': expected the bytes of U8");
  refused({{"\xFF", Dtype::u8, {1}, data(1)}}, {}, "expected text in UTF-8");
  refused({}, {{"\xFF", ""}}, "expected text in UTF-8");
  refused({}, {{"", "\xC3"}}, "expected text in UTF-8");
  refused({}, {{"", std::string(std::size_t{16} << 20, 'x')}}, "expected a header of at most 16777216 bytes");
}

TEST_CASE("write_safetensors: a folder that is missing is named") {
  CHECK(contains(error_text([] { write_safetensors("/missing/f", {}); }), "/missing/f: cannot create"));
}
