// ByteSource: where a file reader's bytes come from, be it memory, a file, or another source that is unpacked on the
// way.
//
// Readers pull what a header has declared and never trust the number: `read_up_to` allocates in chunks as bytes really
// arrive, so that a short file which declares terabytes costs a chunk and not terabytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <eigan/io/file_descriptor.hpp>

namespace eigan {

/// Gives bytes in their order, once.
class ByteSource {
 public:
  /// `name` opens every error message about these bytes.
  explicit ByteSource(std::string name) : name_(std::move(name)) {}
  /// Closes what it opened.
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  /// Fills `out` from its front and returns how many bytes that were; fewer than out.size() only at the end.
  virtual std::size_t read(std::span<std::uint8_t> out) = 0;

  /// What messages about these bytes begin with.
  const std::string& name() const { return name_; }

 private:
  std::string name_;
};

/// Bytes in memory that somebody else owns.
class MemorySource final : public ByteSource {
 public:
  /// They must outlive this.
  explicit MemorySource(std::span<const std::uint8_t> bytes, std::string name = "memory")
      : ByteSource(std::move(name)), rest_(bytes) {}

  std::size_t read(std::span<std::uint8_t> out) override {
    const std::size_t count = std::min(out.size(), rest_.size());
    std::copy_n(rest_.begin(), count, out.begin());
    rest_ = rest_.subspan(count);
    return count;
  }

 private:
  std::span<const std::uint8_t> rest_;
};

#if defined(EIGAN_HAS_FILES)
/// A file, from its first byte. Throws Error when it cannot be opened or read.
class FileSource final : public ByteSource {
 public:
  /// Opens it.
  explicit FileSource(const std::filesystem::path& path)
      : ByteSource(detail::display(path)), path_(path), file_(path, O_RDONLY) {
    if (!file_.is_open()) detail::fail_system(path_, "open", errno);
  }

  std::size_t read(std::span<std::uint8_t> out) override {
    std::size_t total = 0;
    while (total < out.size()) {
      const auto count =
          detail::retry_interrupted([&] { return ::read(file_.get(), out.data() + total, out.size() - total); });
      if (count < 0) detail::fail_system(path_, "read", errno);
      if (count == 0) break;
      total += static_cast<std::size_t>(count);
    }
    return total;
  }

 private:
  std::filesystem::path path_;
  detail::FileDescriptor file_;
};
#endif

/// The next `count` bytes, or fewer when the source ends before. Holds at most about twice what really came,
/// whatever `count` says.
inline std::vector<std::uint8_t> read_up_to(ByteSource& source, std::size_t count) {
  constexpr std::size_t chunk_size = std::size_t{1} << 16;
  std::vector<std::vector<std::uint8_t>> chunks;
  std::size_t total = 0;
  for (bool more = true; more && total < count;) {
    auto& chunk = chunks.emplace_back(std::min(chunk_size, count - total));
    const std::size_t got = source.read(chunk);
    more = got == chunk.size();
    chunk.resize(got);
    total += got;
  }
  std::vector<std::uint8_t> bytes;
  bytes.reserve(total);
  for (auto& chunk : chunks) bytes.insert(bytes.end(), chunk.begin(), chunk.end());
  return bytes;
}

}  // namespace eigan
