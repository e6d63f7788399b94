// The header of a .npy file: "\x93NUMPY", the version, the header's length (u16, or u32 from version 2.0), and a Python
// dictionary literal with the keys descr, fortran_order and shape, filled with spaces and ended by a newline so that
// the data begins at a multiple of 64. Reference: numpy.lib.format.
#pragma once

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/core/types.hpp>
#include <eigan/io/dtype.hpp>
#include <eigan/io/foreign_file.hpp>

namespace eigan::detail {

inline constexpr std::string_view npy_magic = "\x93NUMPY";
inline constexpr std::size_t max_npy_header = 10000;  // NumPy's own limit
inline constexpr std::size_t max_npy_rank = 64;       // the same

/// What a header says, and where the elements begin.
struct NpyHeader {
  Dtype dtype{};
  bool big_endian = false, fortran_order = false;
  std::vector<std::uint64_t> shape;
  std::size_t data = 0;  ///< the byte of the file at which the elements begin
};

/// A cursor over the header's dictionary literal.
class NpyHeaderReader {
 public:
  NpyHeaderReader(std::string_view text, std::string name, std::size_t first)
      : text_(text), name_(std::move(name)), first_(first) {}

  bool accept(std::string_view token) {
    while (text_.substr(at_, 1) == " ") ++at_;
    const bool found = text_.substr(at_, token.size()) == token;
    if (found) at_ += token.size();
    return found;
  }
  void expect(std::string_view token) {
    if (!accept(token)) fail(concat("'", printable(token), "'"));
  }
  bool next_is(char c) {
    accept("");
    return text_.substr(at_, 1) == std::string_view(&c, 1);
  }
  std::string_view string() {
    const std::string_view quote = accept("'") ? "'" : "\"";
    if (quote == "\"") expect(quote);
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) fail("a closing quote");
    const std::string_view value = text_.substr(at_, end - at_);
    at_ = end + 1;
    return value;
  }
  std::vector<std::uint64_t> tuple() {
    std::vector<std::uint64_t> values;
    expect("(");
    bool comma = true;
    while (!accept(")")) {
      if (!comma) fail("',' or ')'");
      std::uint64_t value = 0;
      const char* const begin = text_.data() + at_;
      const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
      if (error != std::errc()) fail("an extent below 2^64");
      at_ += static_cast<std::size_t>(end - begin);
      if (text_.substr(at_, 1) == "L") ++at_;  // as Python 2 writes a long integer
      values.push_back(value);
      comma = accept(",");
    }
    if (values.size() == 1 && !comma) fail("a comma after the only extent");
    return values;
  }
  void end() {
    accept("");
    if (at_ != text_.size()) fail("nothing after the dictionary");
  }
  [[noreturn]] void fail(std::string_view expected) const {
    fail_data(name_, ": at byte ", first_ + at_, ": expected ", expected, ", found '", printable(text_.substr(at_, 20)),
              "'");
  }

 private:
  std::string_view text_;
  std::string name_;
  std::size_t first_;
  std::size_t at_ = 0;
};

/// What a `descr` stands for, such as "<f4". Error that calls other types by their names.
inline void read_npy_descr(std::string_view descr, const std::string& name, NpyHeader& header) {
  constexpr std::pair<std::string_view, Dtype> types[] = {
      {"f4", Dtype::f32}, {"f8", Dtype::f64},     {"f2", Dtype::f16}, {"u1", Dtype::u8},
      {"i1", Dtype::i8},  {"b1", Dtype::boolean}, {"i2", Dtype::i16}, {"u2", Dtype::u16},
      {"i4", Dtype::i32}, {"u4", Dtype::u32},     {"i8", Dtype::i64}, {"u8", Dtype::u64}};
  constexpr std::pair<char, const char*> others[] = {{'O', "Python objects, which only pickle reads"},
                                                     {'c', "complex numbers"},
                                                     {'S', "bytes"},
                                                     {'a', "bytes"},
                                                     {'U', "texts"},
                                                     {'V', "records"},
                                                     {'M', "dates"},
                                                     {'m', "durations"},
                                                     {'f', "floating-point numbers of this size"}};
  const bool has_order = !descr.empty() && std::string_view("<>|=").find(descr[0]) != std::string_view::npos;
  const char order = has_order ? descr[0] : '=';
  const std::string_view type = descr.substr(has_order ? 1 : 0);
  for (const auto& [text, dtype] : types)
    if (type == text && (order != '|' || dtype_size(dtype) == 1)) {
      header.dtype = dtype;
      header.big_endian = order == '>';
      return;
    }
  for (const auto& [letter, what] : others)
    if (type.substr(0, 1) == std::string_view(&letter, 1))
      fail_data(name, ": holds ", what, " (descr '", printable(descr), "'), expected numbers: save ",
                "array.astype('float32')");
  fail_data(name, ": expected descr '<f4', '<f8', '<f2', '|b1', '|u1', '<i8' or the like, found '", printable(descr),
            "'");
}

/// The length of the dictionary, and where it begins: byte 10, or 12.
inline std::pair<std::size_t, std::size_t> npy_dictionary(std::string_view text, const std::string& name) {
  const auto byte = [&](std::size_t i) -> std::size_t { return static_cast<unsigned char>(text[i]); };
  const auto fail = [&](const auto&... parts) { fail_data(name, ": ", parts...); };
  if (text.substr(0, 4) == "PK\3\4")
    fail("an archive of arrays (.npz), expected one array (.npy): save it by numpy.save");
  if (text.substr(0, 6) != npy_magic || text.size() < 8)
    fail("at byte 0: expected the start of a .npy file", what_it_is(std::as_bytes(std::span(text))));
  if (byte(6) < 1 || byte(6) > 3 || byte(7) != 0)
    fail("at byte 6: expected version 1.0, 2.0 or 3.0, found ", byte(6), ".", byte(7));
  const std::size_t first = byte(6) == 1 ? 10 : 12;
  if (text.size() < first) fail("at byte 8: expected the header's length, found the end of the file");
  std::size_t length = 0;
  for (std::size_t i = first; i-- > 8;) length = length << 8 | byte(i);
  if (length > max_npy_header)
    fail("at byte 8: expected a header of at most ", max_npy_header, " bytes, found a length of ", length);
  if (length > text.size() - first)
    fail("at byte ", first, ": expected a header of ", length, " bytes, found the end of the file after ",
         text.size() - first);
  return {length, first};
}

/// Checks a file's header, and that as many bytes follow as it says. Error, with messages that `name` opens.
inline NpyHeader read_npy_header(std::span<const std::byte> file, const std::string& name) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are looked at as characters
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  const auto fail = [&](const auto&... parts) { fail_data(name, ": ", parts...); };
  const auto [length, first] = npy_dictionary(text, name);
  std::string_view dictionary = text.substr(first, length);
  if (dictionary.empty() || dictionary.back() != '\n')
    fail("at byte ", first, ": expected a header that ends with a newline");
  dictionary.remove_suffix(1);
  const auto plain = [](char c) { return c >= ' ' && c <= '~'; };
  if (const auto at = std::find_if_not(dictionary.begin(), dictionary.end(), plain); at != dictionary.end())
    fail("at byte ", first + static_cast<std::size_t>(at - dictionary.begin()),
         ": expected printable ASCII, found byte ", static_cast<int>(static_cast<unsigned char>(*at)));

  std::optional<std::string_view> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::uint64_t>> shape;
  NpyHeaderReader reader(dictionary, name, first);
  reader.expect("{");
  for (bool comma = true; !reader.accept("}"); comma = reader.accept(",")) {
    if (!comma) reader.fail("',' or '}'");
    const std::string_view key = reader.string();
    reader.expect(":");
    if (key == "descr" && !descr) {
      if (reader.next_is('[')) fail("holds a structured type, whose fields have names, expected plain numbers");
      descr = reader.string();
    } else if (key == "fortran_order" && !fortran_order) {
      fortran_order = reader.accept("True");
      if (!*fortran_order) reader.expect("False");
    } else if (key == "shape" && !shape) {
      shape = reader.tuple();
    } else {
      fail("expected the keys 'descr', 'fortran_order' and 'shape' once each, found '", printable(key), "'");
    }
  }
  reader.end();
  if (!descr || !fortran_order || !shape)
    fail("expected the keys 'descr', 'fortran_order' and 'shape', found only some of them");

  NpyHeader header{.fortran_order = *fortran_order, .shape = std::move(*shape), .data = first + length};
  read_npy_descr(*descr, name, header);
  if (header.shape.size() > max_npy_rank)
    fail("expected at most ", max_npy_rank, " dimensions, found ", header.shape.size());
  std::uint64_t size = 0;
  const std::size_t there = file.size() - header.data;
  if (!checked_byte_size(header.dtype, header.shape, size) || size != there)
    fail("expected the bytes of ", dtype_name(header.dtype), " ", shape_text(header.shape), " after the header, found ",
         there);
  return header;
}

/// What comes before the elements of an array of shape (rows, cols) in C order.
template <class T>
std::string npy_header(Index rows, Index cols) {
  constexpr std::size_t before_header = npy_magic.size() + 4;
  std::string header = concat("{'descr': '", dtype_of<T> == Dtype::f32 ? "<f4" : "<f8",
                              "', 'fortran_order': False, 'shape': (", rows, ", ", cols, "), }");
  header.resize((before_header + header.size() + 1 + 63) / 64 * 64 - before_header - 1, ' ');
  header += '\n';
  const auto length = static_cast<unsigned>(header.size());
  return std::string(npy_magic) +
         std::string{'\1', '\0', static_cast<char>(length & 255), static_cast<char>(length >> 8)} + header;
}

}  // namespace eigan::detail
