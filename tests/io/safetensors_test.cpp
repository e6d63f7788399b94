#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <eigan/io/safetensors.hpp>
#include <eigan/io/write_safetensors.hpp>

#include "hostile.hpp"
#include "io/support.hpp"

using eigan::Dtype;
using eigan::SafetensorsFile;
using test::bytes_of;
using test::contains;
using test::error_text;
using test::TemporaryFolder;

namespace {

// A file with the given header and so many bytes of data.
std::string file_text(const std::string& header, std::size_t data_size = 0) {
  const std::uint64_t length = header.size();
  std::string text(8, '\0');
  std::memcpy(text.data(), &length, 8);
  text += header;
  for (std::size_t i = 0; i < data_size; ++i) text.push_back(static_cast<char>(i * 7 + 1));
  return text;
}

SafetensorsFile parse(const std::string& header, std::size_t data_size = 0) {
  return SafetensorsFile(bytes_of(file_text(header, data_size)), "f");
}

std::string refusal(const std::string& header, std::size_t data_size = 0) {
  CAPTURE(header);
  return error_text([&] { parse(header, data_size); });
}

// A header with one tensor.
std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"w":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

const std::string two_tensors =
    R"({"__metadata__":{"format":"pt","k":"v"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
    R"("b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}})";

}  // namespace

TEST_CASE("SafetensorsFile: tensors, metadata and bytes are where the header says") {
  const auto file = parse(two_tensors, 11);
  REQUIRE(file.tensors().size() == 2);
  CHECK(file.tensors()[0] == eigan::TensorInfo{"a", Dtype::f32, {2, 1}, 0, 8});
  CHECK(file.tensors()[1] == eigan::TensorInfo{"b", Dtype::u8, {3}, 8, 11});
  CHECK(file.metadata() == std::map<std::string, std::string>{{"format", "pt"}, {"k", "v"}});
  CHECK(file.name() == "f");
  REQUIRE(file.find("b") == &file.tensors()[1]);
  CHECK(file.find("a") == &file.tensors()[0]);
  for (const char* missing : {"", "A", "aa", "c", "__metadata__"}) CHECK(file.find(missing) == nullptr);
  const auto bytes = file.bytes(*file.find("b"));
  REQUIRE(bytes.size() == 3);
  CHECK(static_cast<int>(bytes[0]) == 8 * 7 + 1);
}

TEST_CASE("SafetensorsFile: an independent parser finds the same in the header") {
  const std::string header =
      " \n"
      R"({"z\u00e9\n":{"data_offsets":[4,4],"shape":[0,7],"dtype":"F16"},"__metadata__":{"\"q\"":"\ud83d\ude00"},)"
      R"("a":{"dtype":"I32","shape":[],"data_offsets":[0,4]}} )"
      "\t";
  const auto file = parse(header, 4);
  const auto oracle = nlohmann::json::parse(header);
  CHECK(oracle.size() == file.tensors().size() + 1);
  for (const auto& tensor : file.tensors()) {
    const auto& entry = oracle.at(tensor.name);
    CHECK(entry.at("dtype") == eigan::dtype_name(tensor.dtype));
    CHECK(entry.at("shape") == tensor.shape);
    CHECK(entry.at("data_offsets") == std::vector{tensor.begin, tensor.end});
  }
  CHECK(oracle.at("__metadata__") == file.metadata());
}

TEST_CASE("SafetensorsFile: what the format allows is accepted") {
  CHECK(parse("{}").tensors().empty());
  CHECK(parse("{}   ").metadata().empty());
  CHECK(parse(R"({"__metadata__":{}})").tensors().empty());
  CHECK(parse(one("F32", "[]", "[0,4]"), 4).tensors()[0].shape.empty());
  CHECK(parse(one("F64", "[3,0]", "[0,0]")).tensors()[0].shape == std::vector<std::uint64_t>{3, 0});
  CHECK(parse(one("F64", "[281474976710656,0]", "[0,0]")).tensors().size() == 1);
  CHECK(parse(R"({"":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})", 1).find("") != nullptr);
  // Any order in the header, with empty tensors between the others.
  const auto file = parse(
      R"({"c":{"dtype":"U8","shape":[0],"data_offsets":[2,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]},)"
      R"("d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})",
      4);
  std::string order;
  for (const auto& tensor : file.tensors()) order += tensor.name;
  CHECK(order == "dacb");
}

TEST_CASE("SafetensorsFile: floating tensors become float or double, others are refused") {
  const std::vector<float> values{1.5f, -std::numeric_limits<float>::infinity(),
                                  std::numeric_limits<float>::quiet_NaN(), 1e-40f};
  std::string text = file_text(one("F32", "[4]", "[0,16]"));
  text.append(test::text_of(std::as_bytes(std::span(values))));
  const SafetensorsFile file(bytes_of(text), "f");
  std::vector<double> wide(4);
  file.copy_to(file.tensors()[0], std::span(wide));
  CHECK(wide[0] == 1.5);
  CHECK(wide[1] == -std::numeric_limits<double>::infinity());
  CHECK(std::isnan(wide[2]));
  CHECK(wide[3] == static_cast<double>(1e-40f));
  std::vector<float> narrow(4);
  file.copy_to(file.tensors()[0], std::span(narrow));
  // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): the bits are meant
  CHECK(std::memcmp(narrow.data(), values.data(), 16) == 0);
  std::vector<float> short_one(3);
  CHECK(contains(error_text<std::invalid_argument>([&] { file.copy_to(file.tensors()[0], std::span(short_one)); }),
                 "expected room for 4 elements of tensor 'w', found 3"));
  const auto integers = parse(one("I32", "[1]", "[0,4]"), 4);
  CHECK(error_text([&] { integers.copy_to(integers.tensors()[0], std::span(narrow)); }) ==
        "f: tensor 'w': expected dtype F64, F32, F16 or BF16, found I32");
}

TEST_CASE("SafetensorsFile: rule 1, the header's length") {
  for (std::size_t size = 0; size < 8; ++size) {
    CHECK(error_text([&] { SafetensorsFile(std::vector<std::byte>(size), "f"); }) ==
          "f: at byte 0: expected 8 bytes with the header's length, found " + std::to_string(size));
  }
  const auto with_length = [](std::uint64_t length) {
    std::string text = file_text("{}");
    std::memcpy(text.data(), &length, 8);
    return error_text([&] { SafetensorsFile(bytes_of(text), "f"); });
  };
  CHECK(with_length(3) == "f: at byte 8: expected a header of 3 bytes, found the end of the file after 2");
  CHECK(contains(with_length(16 << 20), "expected a header of 16777216 bytes, found the end of the file after 2"));
  for (const std::uint64_t length : {(std::uint64_t{16} << 20) + 1, std::uint64_t{100'000'000}, UINT64_MAX / 2 + 1,
                                     UINT64_MAX - 8, UINT64_MAX - 7, UINT64_MAX}) {
    CHECK(contains(with_length(length), "at byte 0: expected a header of at most 16777216 bytes, found a length of " +
                                            std::to_string(length)));
  }
  CHECK(contains(with_length(0), "expected '{', found the end of the text"));
  CHECK(contains(with_length(1), "found the end of the text"));
}

TEST_CASE("SafetensorsFile: rule 2, UTF-8 and JSON") {
  CHECK(refusal("{\"\xFF\":1}") == "f: at byte 10: expected a header in UTF-8, found an invalid byte");
  CHECK(refusal("") == "f: at byte 8: expected '{', found the end of the text");
  CHECK(refusal("[]") == "f: at byte 8: expected '{', found '['");
  CHECK(refusal("{\"a\"") == "f: at byte 12: expected ':', found the end of the text");
  CHECK(refusal("{}x") == "f: at byte 10: expected nothing after the closing bracket, found 'x'");
  CHECK(contains(refusal("{}{}"), "expected nothing after"));
  CHECK(contains(refusal(std::string("{}\0", 3)), "found '\\x00'"));
  CHECK(contains(refusal("\xEF\xBB\xBF{}"), "at byte 8: expected '{'"));
  CHECK(contains(refusal("{\"a\":1}"), "expected '{', found '1'"));
  CHECK(contains(refusal("{'a':{}}"), "expected a key in double quotes, found '''"));
  CHECK(contains(refusal("{\"a\":{},}"), "tensor 'a'"));
  CHECK(contains(refusal("{\"\x1B[31m\":{}}"), "expected a control character to be escaped, found '\\x1b'"));
}

TEST_CASE("SafetensorsFile: rule 2, nesting is refused without recursion") {
  for (const char* bracket : {"[", "{", "{\"a\":", "{\"a\":{\"shape\":[", "[{"}) {
    std::string deep;
    while (deep.size() < 1'000'000) deep += bracket;
    error_text([&] { parse(deep); });
    error_text([&] { parse(R"({"__metadata__":{"a":)" + deep); });
    error_text([&] { parse(R"({"w":{"dtype":"U8","shape":)" + deep); });
  }
}

TEST_CASE("SafetensorsFile: rule 3, types") {
  for (const char* value : {"1", "null", "true", "[]", "{}", "[\"x\"]", "1.5"}) {
    CAPTURE(value);
    CHECK(contains(refusal(std::string(R"({"__metadata__":{"k":)") + value + "}}"), "expected a string, found"));
  }
  CHECK(contains(refusal(R"({"__metadata__":"text"})"), "expected '{', found '\"'"));
  CHECK(contains(refusal(R"({"__metadata__":null})"), "expected '{', found 'n'"));
  for (const char* dtype :
       {"F4", "F6_E2M3", "F6_E3M2", "F8_E4M3", "F8_E5M2", "F8_E8M0", "C64", "f32", "F32 ", "float32", "", "Q4"}) {
    CAPTURE(dtype);
    CHECK(
        refusal(one(dtype, "[2]", "[0,1]"), 1) ==
        "f: tensor 'w': expected a dtype of BOOL, U8, I8, I16, U16, F16, BF16, I32, U32, F32, F64, I64, U64, found '" +
            std::string(dtype) + "'");
  }
  for (const char* number : {"-1", "1.0", "1e0", "01", "\"1\"", "null", "[1]", "18446744073709551616", "+1", "0x1"}) {
    CAPTURE(number);
    const std::string list = std::string("[") + number + "]";
    refusal(one("U8", list, "[0,1]"), 1);
    refusal(one("U8", "[1]", std::string("[") + number + ",1]"), 1);
    refusal(one("U8", "[1]", std::string("[0,") + number + "]"), 1);
  }
  CHECK(contains(refusal(one("U8", "1", "[0,1]"), 1), "expected '[', found '1'"));
  CHECK(refusal(one("U8", "[1]", "[1]"), 1) == "f: tensor 'w': expected 2 numbers in 'data_offsets', found 1");
  CHECK(contains(refusal(one("U8", "[1]", "[]"), 1), "expected 2 numbers in 'data_offsets', found 0"));
  CHECK(contains(refusal(one("U8", "[1]", "[0,1,1]"), 1), "expected 2 numbers in 'data_offsets', found 3"));
  CHECK(refusal(R"({"w":{}})") == "f: tensor 'w': expected 'dtype', found none");
  CHECK(refusal(R"({"w":{"dtype":"U8"}})") == "f: tensor 'w': expected 'shape', found none");
  CHECK(refusal(R"({"w":{"dtype":"U8","shape":[]}})") == "f: tensor 'w': expected 'data_offsets', found none");
  CHECK(refusal(R"({"w":{"dtype":"U8","shape":[],"data_offsets":[0,1],"strides":[1]}})", 1) ==
        "f: tensor 'w': expected only 'dtype', 'shape' and 'data_offsets', found 'strides'");
}

TEST_CASE("SafetensorsFile: rule 3, no key twice") {
  const std::string entry = R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  CHECK(refusal(R"({"w":)" + entry + R"(,"w":)" + entry + "}") == "f: tensor 'w': expected once, found twice");
  CHECK(refusal(R"({"w":)" + entry + R"(,"x":)" + entry + R"(,"\u0077":)" + entry + "}") ==
        "f: tensor 'w': expected once, found twice");
  CHECK(refusal(R"({"__metadata__":{},"__metadata__":{}})") == "f: expected '__metadata__' once, found it twice");
  CHECK(refusal(R"({"__metadata__":{"k":"1","k":"1"}})") == "f: metadata 'k': expected once, found twice");
  CHECK(refusal(R"({"w":{"dtype":"U8","dtype":"U8"}})") == "f: tensor 'w': expected 'dtype' once, found it twice");
  CHECK(contains(refusal(R"({"w":{"shape":[],"shape":[]}})"), "expected 'shape' once, found it twice"));
  CHECK(contains(refusal(R"({"w":{"data_offsets":[0,0],"data_offsets":[0,0]}})"), "'data_offsets' once"));
}

TEST_CASE("SafetensorsFile: rule 4, no hole and no overlap") {
  const auto pair = [](const std::string& first, const std::string& second) {
    return R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + first +
           R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + second + "}}";
  };
  CHECK(refusal(one("U8", "[4]", "[1,5]"), 5) == "f: tensor 'w': expected data from offset 0, found 1 (leaves a hole)");
  CHECK(refusal(pair("[0,4]", "[5,9]"), 9) == "f: tensor 'b': expected data from offset 4, found 5 (leaves a hole)");
  CHECK(refusal(pair("[0,4]", "[3,7]"), 7) ==
        "f: tensor 'b': expected data from offset 4, found 3 (overlaps the tensor before)");
  CHECK(contains(refusal(pair("[0,4]", "[0,4]"), 4), "tensor 'b': expected data from offset 4, found 0"));
  CHECK(refusal(one("U8", "[4]", "[4,0]"), 4) == "f: tensor 'w': expected an end at or after offset 4, found 0");
  CHECK(
      contains(refusal(one("U8", "[0]", "[18446744073709551615,18446744073709551615]")), "found 18446744073709551615"));
}

TEST_CASE("SafetensorsFile: rule 5, shape times dtype is the number of bytes") {
  CHECK(refusal(one("F32", "[2,3]", "[0,23]"), 23) == "f: tensor 'w': expected 24 bytes for F32 [2, 3], found 23");
  CHECK(contains(refusal(one("F32", "[]", "[0,0]")), "expected 4 bytes for F32 [], found 0"));
  CHECK(contains(refusal(one("U8", "[0]", "[0,1]"), 1), "expected 0 bytes for U8 [0], found 1"));
  // Products that come out right, or as nothing, only when they wrap around.
  for (const char* shape :
       {"[4294967296,4294967296]", "[281474976710656,65536]", "[4294967296,4294967296,0]", "[281474976710657]",
        "[18446744073709551615]", "[18446744073709551615,0]", "[9223372036854775808,2]", "[281474976710656,65536,4]"}) {
    CAPTURE(shape);
    for (const char* dtype : {"U8", "F32", "F64"}) {
      CHECK(contains(refusal(one(dtype, shape, "[0,0]")), "expected extents of at most 2^48 and less than 2^64 bytes"));
    }
  }
  CHECK(contains(refusal(one("F64", "[281474976710656]", "[0,0]")), "expected 2251799813685248 bytes"));
  std::string many = "[0";
  for (int i = 0; i < 100'000; ++i) many += ",0";
  many += "]";
  CHECK(refusal(one("U8", many, "[0,1]"), 1) ==
        "f: tensor 'w': expected 0 bytes for U8 [0, 0, 0, 0, 0, 0, 0, 0, ...], found 1");
}

TEST_CASE("SafetensorsFile: rule 6, the file ends where the last tensor does") {
  CHECK(refusal(one("U8", "[4]", "[0,4]"), 3) ==
        "f: expected 4 bytes of data after the header, found 3 (the file is cut short)");
  CHECK(refusal(one("U8", "[4]", "[0,4]"), 5) ==
        "f: expected 4 bytes of data after the header, found 5 (something follows the tensors)");
  CHECK(contains(refusal("{}", 1), "expected 0 bytes of data after the header, found 1"));
  CHECK(contains(refusal(one("U8", "[281474976710656]", "[0,281474976710656]"), 3), "cut short"));
}

TEST_CASE("SafetensorsFile: names are made printable in messages") {
  CHECK(contains(refusal(R"({"\u001b[2J\n":{}})"), "tensor '\\x1b[2J\\x0a': expected 'dtype'"));
  const std::string long_name(10'000, 'n');
  CHECK(refusal(R"({")" + long_name + R"(":{}})").size() < 1000);
}

TEST_CASE("SafetensorsFile: hostile files: refused, or their tensors fill the data") {
  const std::string whole = file_text(two_tensors, 11);
  const auto read = [](const std::string& text) {
    const SafetensorsFile file(bytes_of(text), "f");
    std::uint64_t sum = 0;
    for (const auto& tensor : file.tensors()) {
      CHECK(file.bytes(tensor).size() == tensor.end - tensor.begin);
      sum += tensor.end - tensor.begin;
    }
    CHECK(sum == 11);
  };
  CHECK(hostile::cut(whole, read).accepted == 0);
  // Flips in the data, in names and metadata are harmless; those in the structure are not.
  const auto flipped = hostile::flip(whole, read);
  CHECK(flipped.accepted > 8 * 11);
  CHECK(flipped.refused > 8 * 80);
  CHECK(hostile::set_number(whole, 0, 8, std::endian::little, read).accepted == 0);
  // A number in the header matters, or is the same as before.
  const auto lies = hostile::set_decimals(
      two_tensors, [](const std::string& header) { return file_text(header, 11); }, read);
  CHECK(lies.refused > 80);
  CHECK(lies.accepted <= 10);
}

TEST_CASE("SafetensorsFile: what is accepted is written and read back equal, and then no byte changes any more") {
  const TemporaryFolder folder;
  const auto written_again = [&](const SafetensorsFile& file) {
    std::vector<eigan::TensorView> views;
    for (const auto& tensor : file.tensors())
      views.push_back({tensor.name, tensor.dtype, tensor.shape, file.bytes(tensor)});
    eigan::write_safetensors(folder / "again", views, file.metadata());
    return eigan::read_file(folder / "again");
  };
  const std::string whole = file_text(two_tensors, 11);
  int round_trips = 0;
  // A few thousand files around a good one: bytes of the header replaced by what headers are made of.
  std::uint32_t state = 1;
  const auto next = [&](std::size_t below) {
    state = state * 1664525 + 1013904223;
    return static_cast<std::size_t>(state >> 8) % below;
  };
  for (int i = 0; i < 5000; ++i) {
    std::string text = whole;
    const std::string alphabet = "{}[]\":,\\0123456789abFU \n\x01\x80u";
    for (std::size_t edits = 1 + next(2); edits > 0; --edits)
      text[8 + next(text.size() - 8)] = alphabet[next(alphabet.size())];
    try {
      const SafetensorsFile file(bytes_of(text), "f");
      const auto bytes = written_again(file);
      const SafetensorsFile again(bytes, "again");
      CHECK(again.metadata() == file.metadata());
      REQUIRE(again.tensors().size() == file.tensors().size());
      for (const auto& tensor : file.tensors()) {
        const auto* found = again.find(tensor.name);
        REQUIRE(found != nullptr);
        CHECK(found->dtype == tensor.dtype);
        CHECK(found->shape == tensor.shape);
        CHECK(std::ranges::equal(again.bytes(*found), file.bytes(tensor)));
      }
      CHECK(written_again(again) == bytes);
      ++round_trips;
    } catch (const eigan::Error&) {
    }
  }
  CHECK(round_trips > 300);
}

// Comparing every name with every other would take hours: nobody would wait for this test.
TEST_CASE("SafetensorsFile: a million tensors are read in a bounded multiple of the file, with a few allocations each") {
  constexpr int count = 1'000'000;
  std::string header = "{";
  for (int i = 0; i < count; ++i) {
    header += '"' + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)";
  }
  header.back() = '}';
  auto bytes = bytes_of(file_text(header));
  CHECK(contains(error_text([&] { SafetensorsFile(bytes, "f"); }), "expected a header of at most 16777216 bytes"));
  const std::size_t size = bytes.size();
  const long before = support::allocations();
  const std::size_t peak = support::peak_heap([&] {
    const SafetensorsFile file(std::move(bytes), "f", std::size_t{1} << 27);
    CHECK(file.tensors().size() == count);
    CHECK(file.find(std::to_string(count - 1)) != nullptr);
  });
  const long allocations = support::allocations() - before;
  CHECK(peak < 8 * size);
  CHECK(allocations < 4L * count);
}

TEST_CASE("SafetensorsFile: a file on disk is read, and its path opens the messages") {
  const TemporaryFolder folder;
  eigan::write_file(folder / "good", file_text(two_tensors, 11));
  CHECK(SafetensorsFile::read(folder / "good").tensors().size() == 2);
  eigan::write_file(folder / "bad", "not a model, but long enough");
  CHECK(error_text([&] {
          SafetensorsFile::read(folder / "bad");
        }).rfind((folder / "bad").string() + ": at byte 0: ", 0) == 0);
  CHECK(
      contains(error_text([&] { SafetensorsFile::read(folder / "none"); }), "cannot open: No such file or directory"));
}
