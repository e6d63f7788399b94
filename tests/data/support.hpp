// What the tests of files share: bytes built by hand, gzip made with zlib, a folder that goes away, and the heap's
// peak. Included once a program, as allocations.hpp is.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>
#include <zlib.h>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <eigan/core/error.hpp>

#include "hostile.hpp"

namespace test {

using Bytes = std::vector<std::uint8_t>;

inline Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline Bytes bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

/// An IDX file: 00 00 type rank, the sizes, and the values.
inline Bytes idx(std::uint8_t type, std::initializer_list<std::uint32_t> sizes, const Bytes& values) {
  Bytes bytes{0, 0, type, static_cast<std::uint8_t>(sizes.size())};
  for (const auto size : sizes) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(size >> shift));
  }
  return bytes + values;
}

/// 0, 1, 2, ... of that length.
inline Bytes counting(std::size_t count) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>(i);
  return bytes;
}

inline Bytes gzip(const Bytes& bytes) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes in = bytes;
  Bytes out(deflateBound(&stream, static_cast<uLong>(in.size())));
  stream.next_in = in.data();
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// A gigabyte of zeros behind `start`, in a megabyte of sixteen members.
inline Bytes gzip_bomb(const Bytes& start) {
  const Bytes member = gzip(Bytes(std::size_t{64} << 20));
  Bytes bomb = gzip(start);
  for (int i = 0; i < 16; ++i) bomb.insert(bomb.end(), member.begin(), member.end());
  REQUIRE(bomb.size() < 1100000);
  return bomb;
}

/// The text of the Error that `action` throws, or "" if it throws none.
template <class Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const eigan::Error& error) {
    return error.what();
  }
  return "";
}

inline bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// A folder of its own that goes away with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "eigan-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }

  std::filesystem::path write(const std::string& name, const Bytes& bytes) const {
    const auto file = path_ / name;
    std::ofstream stream(file, std::ios::binary);
    stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    REQUIRE(stream.good());
    return file;
  }

 private:
  std::filesystem::path path_;
};

inline Bytes read_back(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  REQUIRE(stream.good());
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

using support::peak_heap;

}  // namespace test
