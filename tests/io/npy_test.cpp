#include <doctest/doctest.h>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <eigan/io/npy.hpp>

#include "hostile.hpp"
#include "io/support.hpp"

using eigan::ConstView;
using eigan::Dtype;
using eigan::parse_npy;
using test::bytes_of;
using test::contains;
using test::error_text;
using test::TemporaryFolder;

namespace {

// A version 1.0 file as numpy.save writes it.
std::string npy(const std::string& header, const std::string& data,
                const std::string& version = std::string("\1\0", 2)) {
  std::string text = "\x93NUMPY" + version;
  const std::size_t length = header.size();
  text.push_back(static_cast<char>(length & 255));
  text.push_back(static_cast<char>(length >> 8));
  if (version[0] > 1) text += std::string(2, '\0');
  return text + header + data;
}

std::string header(const std::string& descr, const std::string& fortran_order, const std::string& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran_order + ", 'shape': " + shape + ", }\n";
}

template <class T>
std::string raw(const std::vector<T>& values) {
  return test::text_of(std::as_bytes(std::span(values)));
}

std::string refusal(const std::string& text) {
  CAPTURE(text);
  return error_text([&] { parse_npy(bytes_of(text), "f"); });
}

const std::string four_floats = raw(std::vector<float>{1, 2, 3, 4});

}  // namespace

TEST_CASE("npy: a batch becomes an array with a sample a row, byte for byte as NumPy writes it") {
  const TemporaryFolder folder;
  eigan::Matrix<float> batch(2, 3);  // two features, three samples
  batch << 1, 2, 3, 4, 5, 6;
  eigan::write_npy(folder / "f", ConstView<float>(batch));
  const std::string dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }";
  const std::string expected = npy(dictionary + std::string(128 - 10 - 1 - dictionary.size(), ' ') + "\n",
                                   raw(std::vector<float>{1, 4, 2, 5, 3, 6}));
  CHECK(test::text_of(eigan::read_file(folder / "f")) == expected);
}

TEST_CASE("npy: written batches are read back, also with padded columns and in double") {
  const TemporaryFolder folder;
  std::vector<double> buffer(12);
  std::iota(buffer.begin(), buffer.end(), 0.5);
  eigan::write_npy(folder / "f", ConstView<double>(buffer.data(), 3, 2, 5));
  const auto array = eigan::read_npy(folder / "f");
  CHECK(array.dtype == Dtype::f64);
  CHECK(array.shape == std::vector<std::uint64_t>{2, 3});
  CHECK(array.values<double>() == std::vector<double>{0.5, 1.5, 2.5, 5.5, 6.5, 7.5});
  CHECK(array.values<float>() == std::vector<float>{0.5f, 1.5f, 2.5f, 5.5f, 6.5f, 7.5f});
  eigan::write_npy(folder / "f", ConstView<double>(buffer.data(), 3, 0));
  CHECK(eigan::read_npy(folder / "f").shape == std::vector<std::uint64_t>{0, 3});
}

TEST_CASE("npy: the data begins at a multiple of 64 for every shape") {
  const TemporaryFolder folder;
  for (Eigen::Index extent = 1; extent < 100'000; extent *= 10) {
    eigan::write_npy(folder / "f", ConstView<float>(eigan::Matrix<float>(eigan::Matrix<float>::Zero(extent, 1))));
    CHECK((eigan::read_file(folder / "f").size() - static_cast<std::size_t>(extent) * 4) % 64 == 0);
  }
}

TEST_CASE("npy: versions, types, ranks and spellings that NumPy knows") {
  const auto array = parse_npy(bytes_of(npy(header("<f4", "False", "(4,)"), four_floats)));
  CHECK(array.shape == std::vector<std::uint64_t>{4});
  CHECK(array.values<float>() == std::vector<float>{1, 2, 3, 4});
  for (const char* version : {"\2", "\3"}) {
    const auto text = npy(header("<f4", "False", "(4,)"), four_floats, std::string(version) + std::string(1, '\0'));
    CHECK(parse_npy(bytes_of(text)).values<float>().size() == 4);
  }
  const auto bytes = parse_npy(bytes_of(npy(header("|u1", "False", "(1, 2, 3)"), std::string("\0\1\2\3\4\xff", 6))));
  CHECK(bytes.dtype == Dtype::u8);
  CHECK(bytes.shape == std::vector<std::uint64_t>{1, 2, 3});
  CHECK(bytes.values<float>() == std::vector<float>{0, 1, 2, 3, 4, 255});
  for (const char* spelling : {"{\"shape\":(2,2),\"fortran_order\":False,\"descr\":\"<f4\"}\n",
                               "{'descr':'<f4','fortran_order':False,'shape':(2,2)}\n",
                               "  { 'descr' : '<f4' , 'fortran_order' : False , 'shape' : ( 2 , 2 , ) , }   \n"}) {
    CAPTURE(spelling);
    CHECK(parse_npy(bytes_of(npy(spelling, four_floats))).shape == std::vector<std::uint64_t>{2, 2});
  }
}

TEST_CASE("npy: every type of number, in both orders of bytes") {
  const auto read = [](const std::string& descr, const std::string& data) {
    return parse_npy(bytes_of(npy(header(descr, "False", "(2,)"), data)), "f");
  };
  const std::vector<float> expected{1, 3};
  const auto check = [&]<class T>(T, const std::string& type, Dtype dtype) {
    CAPTURE(type);
    const std::string little = raw(std::vector<T>{1, 3});
    std::string big = little;
    for (std::size_t i = 0; i < big.size(); i += sizeof(T))
      std::reverse(big.begin() + static_cast<std::ptrdiff_t>(i),
                   big.begin() + static_cast<std::ptrdiff_t>(i + sizeof(T)));
    for (const eigan::NpyArray& array :
         {read("<" + type, little), read(">" + type, big), read("=" + type, little), read(type, little)}) {
      CHECK(array.dtype == dtype);
      CHECK(array.values<float>() == expected);
      CHECK(array.values<double>() == std::vector<double>{1, 3});
      if (std::integral<T>) CHECK(array.values<int>() == std::vector<int>{1, 3});
    }
  };
  check(float(), "f4", Dtype::f32);
  check(double(), "f8", Dtype::f64);
  check(std::int8_t(), "i1", Dtype::i8);
  check(std::uint8_t(), "u1", Dtype::u8);
  check(std::int16_t(), "i2", Dtype::i16);
  check(std::uint16_t(), "u2", Dtype::u16);
  check(std::int32_t(), "i4", Dtype::i32);
  check(std::uint32_t(), "u4", Dtype::u32);
  check(std::int64_t(), "i8", Dtype::i64);
  check(std::uint64_t(), "u8", Dtype::u64);
  CHECK(read("<f2", raw(std::vector<std::uint16_t>{0x3C00, 0x4200})).values<float>() == expected);
  CHECK(read(">f2", std::string("\x3C\x00\x42\x00", 4)).values<float>() == expected);
  const auto truth = read("|b1", std::string("\0\2", 2));
  CHECK(truth.dtype == Dtype::boolean);
  CHECK(truth.values<float>() == std::vector<float>{0, 1});
  CHECK(truth.values<int>() == std::vector<int>{0, 1});
}

TEST_CASE("npy: integers that do not fit, and what are none, are refused") {
  const auto labels = parse_npy(bytes_of(npy(header("<i8", "False", "(2,)"), raw(std::vector<std::int64_t>{7, 256}))));
  CHECK(labels.values<std::int16_t>() == std::vector<std::int16_t>{7, 256});
  CHECK(error_text([&] { labels.values<std::uint8_t>(); }) ==
        "element 1: expected an integer from 0 to 255, found 256");
  const auto negative = parse_npy(bytes_of(npy(header("<i2", "False", "(1,)"), raw(std::vector<std::int16_t>{-1}))));
  CHECK(error_text([&] { negative.values<std::uint64_t>(); }) ==
        "element 0: expected an integer from 0 to 18446744073709551615, found -1");
  CHECK(error_text([&] { parse_npy(bytes_of(npy(header("<f4", "False", "(4,)"), four_floats))).values<int>(); }) ==
        "expected integers, found F32");
}

TEST_CASE("npy: any number of dimensions, and sizes as Python 2 wrote them") {
  const auto one = parse_npy(bytes_of(npy(header("<f4", "False", "()"), raw(std::vector<float>{5}))));
  CHECK(one.shape.empty());
  CHECK(one.values<float>() == std::vector<float>{5});
  CHECK(one.samples<float>() == eigan::Matrix<float>{{5}});
  const auto four = parse_npy(bytes_of(npy(header("<f4", "False", "(1, 2, 1, 2)"), four_floats)));
  CHECK(four.shape == std::vector<std::uint64_t>{1, 2, 1, 2});
  const auto longs = parse_npy(bytes_of(npy(header("<f4", "False", "(2L, 2L)"), four_floats)));
  CHECK(longs.shape == std::vector<std::uint64_t>{2, 2});
  CHECK(parse_npy(bytes_of(npy(header("<f4", "False", "(4L,)"), four_floats))).shape.size() == 1);
  std::string many = "(4,";
  for (int i = 0; i < 64; ++i) many += " 1,";
  CHECK(refusal(npy(header("<f4", "False", many + ")"), four_floats)) == "f: expected at most 64 dimensions, found 65");
}

TEST_CASE("npy: samples become columns") {
  const auto array = parse_npy(bytes_of(npy(header("<f4", "False", "(2, 1, 2)"), four_floats)));
  CHECK(array.samples<float>() == eigan::Matrix<float>{{1, 3}, {2, 4}});
  CHECK(array.samples<double>() == eigan::Matrix<double>{{1, 3}, {2, 4}});
  CHECK(parse_npy(bytes_of(npy(header("<f4", "False", "(0, 3)"), ""))).samples<float>().cols() == 0);
}

TEST_CASE("npy: a file is in memory once") {
  const TemporaryFolder folder;
  constexpr Eigen::Index count = 1 << 20;
  eigan::write_npy(folder / "f", ConstView<float>(eigan::Matrix<float>(eigan::Matrix<float>::Zero(count, 1))));
  std::size_t elements = 0;
  const std::size_t peak = support::peak_heap([&] { elements = eigan::read_npy(folder / "f").size(); });
  CHECK(elements == count);
  CHECK(peak < 4 * count + 65536);
}

TEST_CASE("npy: an array in Fortran order is put into C order") {
  const std::vector<float> fortran{111, 211, 121, 221, 131, 231, 112, 212, 122, 222, 132, 232};
  const auto cube = parse_npy(bytes_of(npy(header("<f4", "True", "(2, 3, 2)"), raw(fortran))));
  CHECK(cube.values<float>() == std::vector<float>{111, 112, 121, 122, 131, 132, 211, 212, 221, 222, 231, 232});
  const auto square = parse_npy(bytes_of(npy(header("<f4", "True", "(2, 2)"), four_floats)));
  CHECK(square.values<float>() == std::vector<float>{1, 3, 2, 4});
  const auto four = parse_npy(bytes_of(npy(header("<f4", "True", "(2, 1, 3, 2)"), raw(fortran))));
  CHECK(four.values<float>() == cube.values<float>());
  const auto line = parse_npy(bytes_of(npy(header("<f4", "True", "(4,)"), four_floats)));
  CHECK(line.values<float>() == std::vector<float>{1, 2, 3, 4});
  // Nothing to move, however large the other extents.
  CHECK(parse_npy(bytes_of(npy(header("<f4", "True", "(281474976710656, 0)"), ""))).data.empty());
}

TEST_CASE("npy: what is no .npy file, or none that we read, is refused in one line") {
  CHECK(refusal("") == "f: at byte 0: expected the start of a .npy file");
  CHECK(refusal("PK\3\4 and so on") ==
        "f: an archive of arrays (.npz), expected one array (.npy): save it by numpy.save");
  CHECK(refusal(npy("", "", std::string("\4\0", 2))) == "f: at byte 6: expected version 1.0, 2.0 or 3.0, found 4.0");
  CHECK(contains(refusal(npy("", "", std::string("\1\1", 2))), "found 1.1"));
  CHECK(contains(refusal(npy("", "")), "expected a header that ends with a newline"));
  CHECK(contains(refusal(npy(std::string(10'001, ' '), "")),
                 "at byte 8: expected a header of at most 10000 bytes, found a length of 10001"));
  std::string long_header = npy(header("<f4", "False", "(4,)"), four_floats, std::string("\2\0", 2));
  long_header[11] = '\xff';
  CHECK(contains(refusal(long_header), "expected a header of at most 10000 bytes, found a length of 42781"));
  CHECK(contains(refusal(npy("{\x9b}\n", "")), "at byte 11: expected printable ASCII, found byte 155"));

  const std::pair<const char*, const char*> others[] = {{"|O", "Python objects"}, {"<c8", "complex numbers"},
                                                        {"|S5", "bytes"},         {"<U5", "texts"},
                                                        {"|V8", "records"},       {"<M8[s]", "dates"},
                                                        {"<m8[s]", "durations"},  {"<f16", "floating-point numbers"}};
  for (const auto& [descr, what] : others)
    CHECK(contains(refusal(npy(header(descr, "False", "(4,)"), four_floats)), std::string("f: holds ") + what));
  for (const char* descr : {"|f4", "", "<f4 ", "<i3", "<b1x", "<<f4"}) {
    CAPTURE(descr);
    CHECK(contains(refusal(npy(header(descr, "False", "(4,)"), four_floats)), std::string("f: ")));
  }
  CHECK(refusal(npy(header("<i3", "False", "(4,)"), four_floats)) ==
        "f: expected descr '<f4', '<f8', '<f2', '|b1', '|u1', '<i8' or the like, found '<i3'");
  CHECK(contains(refusal(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,)}\n", four_floats)),
                 "f: holds a structured type, whose fields have names"));
  CHECK(contains(refusal(npy(header("<f4", "false", "(4,)"), four_floats)), "expected 'False', found 'false"));
  CHECK(contains(refusal(npy(header("<f4", "0", "(4,)"), four_floats)), "expected 'False', found '0"));
  for (const char* shape : {"4", "(4)", "(-4,)", "(4.0,)", "(,)", "(4,,)", "(4 4)", "[4]", "(4",
                            "(18446744073709551616,)", "(+4,)", "(4LL,)", "(4l,)"}) {
    CAPTURE(shape);
    refusal(npy(header("<f4", "False", shape), four_floats));
  }
  CHECK(refusal(npy(header("<f4", "False", "(5,)"), four_floats)) ==
        "f: expected the bytes of F32 [5] after the header, found 16");
  CHECK(contains(refusal(npy(header("<f4", "False", "(3,)"), four_floats)), "found 16"));
  for (const char* shape : {"(4294967296, 4294967296)", "(281474976710656, 65536, 1)", "(18446744073709551615,)",
                            "(4611686018427387905,)"}) {
    CHECK(
        contains(refusal(npy(header("<f4", "False", shape), raw(std::vector<float>{1}))), "expected the bytes of F32"));
  }
  CHECK(contains(refusal(npy("{'descr': '<f4', 'fortran_order': False}\n", "")), "found only some of them"));
  CHECK(contains(refusal(npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (4,)}\n", four_floats)),
                 "once each, found 'descr'"));
  CHECK(contains(refusal(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), 'x': 1}\n", four_floats)),
                 "found 'x'"));
  CHECK(contains(refusal(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4,)} 1\n", four_floats)),
                 "expected nothing after the dictionary"));
  CHECK(contains(refusal(npy("{'descr: 1\n", "")), "expected a closing quote"));
}

TEST_CASE("npy: hostile files: refused, or of as many elements as the shape says") {
  const std::string fortran = header("<f4", "True", "(2, 2)");
  const std::string whole = npy(fortran, four_floats);
  const auto read = [](const std::string& text) {
    const auto array = parse_npy(bytes_of(text), "f");
    std::uint64_t count = 1;
    for (const auto extent : array.shape) count *= extent;
    CHECK(array.data.size() == count * eigan::dtype_size(array.dtype));
    CHECK(array.values<float>().size() == count);
  };
  CHECK(hostile::cut(whole, read).accepted == 0);
  refusal(whole + "x");
  CHECK(hostile::flip(whole, read).accepted >= 8 * 16);
  CHECK(hostile::set_number(whole, 8, 2, std::endian::little, read).accepted == 0);
  const auto lies = hostile::set_decimals(
      fortran, [](const std::string& text) { return npy(text, four_floats); }, read);
  CHECK(lies.accepted == 0);
  CHECK(lies.refused == 30);  // the dtype's 4 and two extents
}

TEST_CASE("npy: the path opens the messages") {
  const TemporaryFolder folder;
  eigan::write_file(folder / "f", "x");
  CHECK(error_text([&] { eigan::read_npy(folder / "f"); }) ==
        (folder / "f").string() + ": at byte 0: expected the start of a .npy file");
  CHECK(contains(error_text([] { eigan::write_npy("/missing/f", ConstView<float>()); }), "/missing/f: cannot create"));
}
