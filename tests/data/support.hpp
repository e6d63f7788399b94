// What the tests of files share: bytes built by hand, gzip made with zlib, a folder that goes away, and the heap's
// peak. Included once a program: it replaces the global operator new.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>
#include <zlib.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <eigan/core/error.hpp>

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

// The heap as operator new sees it. Each block carries its size in front. Not inlined, or the compiler takes new and
// free for a mismatched pair.
inline std::size_t heap_now = 0;
inline std::size_t heap_peak = 0;

/// The most heap that was in use at once during `action`, beyond what was in use before.
template <class Action>
std::size_t peak_heap(Action action) {
  const std::size_t before = heap_now;
  heap_peak = heap_now;
  action();
  return heap_peak - before;
}

}  // namespace test

[[gnu::noinline]] void* operator new(std::size_t size) {
  constexpr std::size_t front = alignof(std::max_align_t);
  auto* block = static_cast<std::byte*>(std::malloc(size + front));
  if (block == nullptr) throw std::bad_alloc();
  new (block) std::size_t(size);
  test::heap_now += size;
  test::heap_peak = std::max(test::heap_peak, test::heap_now);
  return block + front;
}

[[gnu::noinline]] void operator delete(void* pointer) noexcept {
  if (pointer == nullptr) return;
  std::byte* block = static_cast<std::byte*>(pointer) - alignof(std::max_align_t);
  test::heap_now -= *reinterpret_cast<std::size_t*>(block);
  std::free(block);
}

void operator delete(void* pointer, std::size_t) noexcept {
  operator delete(pointer);
}
