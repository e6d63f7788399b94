// .npy files: batches written for NumPy, and a strict reader of small numeric arrays.
//
// Layout: "\x93NUMPY", the version, the header's length (u16, or u32 from version 2.0), and the header: a Python
// dictionary literal with the keys descr, fortran_order and shape, filled with spaces and ended by a newline so that
// the data begins at a multiple of 64. Reference: numpy.lib.format.
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/core/view.hpp>
#include <eigan/io/atomic_file.hpp>
#include <eigan/io/dtype.hpp>
#include <eigan/io/read_file.hpp>

namespace eigan {

/// What a .npy file held.
struct NpyArray {
  Dtype dtype{};                     ///< u8, f32 or f64
  std::vector<std::uint64_t> shape;  ///< one to three extents
  std::vector<std::byte> data;       ///< the elements in C order: the last index runs fastest

  /// The elements as float or double, in C order.
  template <std::floating_point T>
  std::vector<T> values() const {
    std::vector<T> result(data.size() / dtype_size(dtype));
    convert_elements(dtype, data.data(), result.size(), result.data());
    return result;
  }
};

namespace detail {

inline constexpr std::string_view npy_magic = "\x93NUMPY";
inline constexpr std::size_t max_npy_header = 10000;  // NumPy's own limit

/// Rearranges elements in which the first index runs fastest.
inline void to_c_order(NpyArray& array, std::span<const std::byte> fortran) {
  if (fortran.empty()) return;  // the other extents may be astronomical
  const std::size_t size = dtype_size(array.dtype);
  const auto extent = [&](std::size_t i) { return i < array.shape.size() ? array.shape[i] : 1; };
  std::byte* out = array.data.data();
  for (std::size_t i = 0; i < extent(0); ++i) {
    for (std::size_t j = 0; j < extent(1); ++j) {
      for (std::size_t k = 0; k < extent(2); ++k, out += size) {
        std::memcpy(out, fortran.data() + (i + extent(0) * (j + extent(1) * k)) * size, size);
      }
    }
  }
}

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

}  // namespace detail

/// Writes a batch as an array of shape (samples, features): samples are columns here and rows in NumPy, and the bytes
/// are the same. float becomes <f4, double <f8. Error if the file cannot be written.
template <class T>
void write_npy(const std::filesystem::path& path, ConstView<T> samples) {
  AtomicFile file(path);
  file.write(detail::npy_header<T>(samples.cols(), samples.rows()));
  const Matrix<T> dense = samples;  // without gaps between the columns
  file.write(std::as_bytes(std::span(dense.data(), static_cast<std::size_t>(dense.size()))));
  file.commit();
}

/// Checks and unpacks a .npy file in memory: versions 1.0 to 3.0, <f4, <f8 or |u1, one to three dimensions. An array in
/// Fortran order is put into C order. Error, with messages that `name` opens, for anything else.
inline NpyArray parse_npy(std::span<const std::byte> file, const std::string& name = "npy") {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are looked at as characters
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  const auto byte = [&](std::size_t i) -> std::size_t { return static_cast<unsigned char>(text[i]); };
  const auto fail = [&](const auto&... parts) { detail::fail_data(name, ": ", parts...); };

  if (text.substr(0, 6) != detail::npy_magic || text.size() < 8) fail("at byte 0: expected the start of a .npy file");
  if (byte(6) < 1 || byte(6) > 3 || byte(7) != 0) {
    fail("at byte 6: expected version 1.0, 2.0 or 3.0, found ", byte(6), ".", byte(7));
  }
  const std::size_t first = byte(6) == 1 ? 10 : 12;
  if (text.size() < first) fail("at byte 8: expected the header's length, found the end of the file");
  std::size_t length = 0;
  for (std::size_t i = first; i-- > 8;) length = length << 8 | byte(i);
  if (length > detail::max_npy_header) {
    fail("at byte 8: expected a header of at most ", detail::max_npy_header, " bytes, found a length of ", length);
  }
  if (length > text.size() - first) {
    fail("at byte ", first, ": expected a header of ", length, " bytes, found the end of the file after ",
         text.size() - first);
  }
  std::string_view header = text.substr(first, length);
  if (header.empty() || header.back() != '\n') fail("at byte ", first, ": expected a header that ends with a newline");
  header.remove_suffix(1);
  const auto plain = [](char c) { return c >= ' ' && c <= '~'; };
  if (const auto at = std::find_if_not(header.begin(), header.end(), plain); at != header.end()) {
    fail("at byte ", first + static_cast<std::size_t>(at - header.begin()), ": expected printable ASCII, found byte ",
         static_cast<int>(static_cast<unsigned char>(*at)));
  }

  std::optional<std::string_view> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::uint64_t>> shape;
  detail::NpyHeaderReader reader(header, name, first);
  reader.expect("{");
  for (bool comma = true; !reader.accept("}"); comma = reader.accept(",")) {
    if (!comma) reader.fail("',' or '}'");
    const std::string_view key = reader.string();
    reader.expect(":");
    if (key == "descr" && !descr) {
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
  if (!descr || !fortran_order || !shape) {
    fail("expected the keys 'descr', 'fortran_order' and 'shape', found only some of them");
  }

  NpyArray array;
  if (*descr == "<f4") {
    array.dtype = Dtype::f32;
  } else if (*descr == "<f8") {
    array.dtype = Dtype::f64;
  } else if (*descr == "|u1") {
    array.dtype = Dtype::u8;
  } else {
    fail("expected descr '<f4', '<f8' or '|u1', found '", printable(*descr), "'");
  }
  if (shape->empty() || shape->size() > 3) fail("expected 1 to 3 dimensions, found shape ", detail::shape_text(*shape));
  array.shape = std::move(*shape);

  const auto data = file.subspan(first + length);
  std::uint64_t size = 0;
  if (!detail::checked_byte_size(array.dtype, array.shape, size) || size != data.size()) {
    fail("expected the bytes of ", dtype_name(array.dtype), " ", detail::shape_text(array.shape),
         " after the header, found ", data.size());
  }
  array.data.assign(data.begin(), data.end());
  if (*fortran_order) detail::to_c_order(array, data);
  return array;
}

/// Reads a .npy file; see parse_npy.
inline NpyArray read_npy(const std::filesystem::path& path) {
  return parse_npy(read_file(path), detail::display(path));
}

}  // namespace eigan
