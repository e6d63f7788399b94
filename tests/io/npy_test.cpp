#include <doctest/doctest.h>

#include <cstring>
#include <numeric>
#include <string>
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
    eigan::write_npy(folder / "f", ConstView<float>(eigan::Matrix<float>::Zero(extent, 1)));
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

TEST_CASE("npy: an array in Fortran order is put into C order") {
  const std::vector<float> fortran{111, 211, 121, 221, 131, 231, 112, 212, 122, 222, 132, 232};
  const auto cube = parse_npy(bytes_of(npy(header("<f4", "True", "(2, 3, 2)"), raw(fortran))));
  CHECK(cube.values<float>() == std::vector<float>{111, 112, 121, 122, 131, 132, 211, 212, 221, 222, 231, 232});
  const auto square = parse_npy(bytes_of(npy(header("<f4", "True", "(2, 2)"), four_floats)));
  CHECK(square.values<float>() == std::vector<float>{1, 3, 2, 4});
  const auto line = parse_npy(bytes_of(npy(header("<f4", "True", "(4,)"), four_floats)));
  CHECK(line.values<float>() == std::vector<float>{1, 2, 3, 4});
  // Nothing to move, however large the other extents.
  CHECK(parse_npy(bytes_of(npy(header("<f4", "True", "(281474976710656, 0)"), ""))).data.empty());
}

TEST_CASE("npy: what is no .npy file, or none that we read, is refused in one line") {
  CHECK(refusal("") == "f: at byte 0: expected the start of a .npy file");
  CHECK(contains(refusal("PK\3\4 an npz archive is no npy file"), "at byte 0"));
  CHECK(refusal(npy("", "", std::string("\4\0", 2))) == "f: at byte 6: expected version 1.0, 2.0 or 3.0, found 4.0");
  CHECK(contains(refusal(npy("", "", std::string("\1\1", 2))), "found 1.1"));
  CHECK(contains(refusal(npy("", "")), "expected a header that ends with a newline"));
  CHECK(contains(refusal(npy(std::string(10'001, ' '), "")),
                 "at byte 8: expected a header of at most 10000 bytes, found a length of 10001"));
  std::string long_header = npy(header("<f4", "False", "(4,)"), four_floats, std::string("\2\0", 2));
  long_header[11] = '\xff';
  CHECK(contains(refusal(long_header), "expected a header of at most 10000 bytes, found a length of 42781"));
  CHECK(contains(refusal(npy("{\x9b}\n", "")), "at byte 11: expected printable ASCII, found byte 155"));

  for (const char* descr : {"|O", ">f4", ">f8", "<i8", "<f2", "<c8", "f4", "=f4", "|b1", "", "<f4 "}) {
    CHECK(refusal(npy(header(descr, "False", "(4,)"), four_floats)) ==
          "f: expected descr '<f4', '<f8' or '|u1', found '" + std::string(descr) + "'");
  }
  CHECK(contains(refusal(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,)}\n", four_floats)),
                 "at byte 20: expected '"));
  CHECK(contains(refusal(npy(header("<f4", "false", "(4,)"), four_floats)), "expected 'False', found 'false"));
  CHECK(contains(refusal(npy(header("<f4", "0", "(4,)"), four_floats)), "expected 'False', found '0"));
  for (const char* shape : {"4", "(4)", "(-4,)", "(4.0,)", "(,)", "(4,,)", "(4 4)", "[4]", "(4",
                            "(18446744073709551616,)", "(+4,)", "(4L,)"}) {
    CAPTURE(shape);
    refusal(npy(header("<f4", "False", shape), four_floats));
  }
  CHECK(contains(refusal(npy(header("<f4", "False", "()"), std::string(4, '\0'))),
                 "expected 1 to 3 dimensions, found shape []"));
  CHECK(contains(refusal(npy(header("<f4", "False", "(1, 1, 1, 4)"), four_floats)), "expected 1 to 3 dimensions"));
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
