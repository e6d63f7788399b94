// read_file: a whole file in memory, with a limit on how large it may be.
//
// The file is read, not mapped: a mapped file that somebody truncates meanwhile kills the process.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <eigan/io/file_descriptor.hpp>

#if defined(EIGAN_HAS_FILES)
#include <sys/stat.h>

namespace eigan {

/// How large a file is read if nobody says otherwise: 16 GiB.
inline constexpr std::uint64_t max_file_size = std::uint64_t{1} << 34;

/// All bytes of the file, which may also be a pipe. Error if it cannot be read or has more than `max_size` bytes.
inline std::vector<std::byte> read_file(const std::filesystem::path& path, std::uint64_t max_size = max_file_size) {
  const detail::FileDescriptor file(path, O_RDONLY);
  if (!file.is_open()) detail::fail_system(path, "open", errno);

  const auto too_large = [&](const auto& found) {
    detail::fail_data(detail::display(path), ": expected at most ", max_size, " bytes, found ", found);
  };
  constexpr std::size_t chunk = 1 << 20;
  std::size_t room = chunk;  // of the first read; for a regular file its size and one byte, to see the end at once
  struct ::stat status {};
  if (::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode)) {
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (size > max_size) too_large(size);
    room = static_cast<std::size_t>(size) + 1;
  }

  std::vector<std::byte> bytes;
  for (std::size_t size = 0;;) {
    if (size == bytes.size()) bytes.resize(size + (size == 0 ? room : std::max(chunk, size)));
    const auto count =
        detail::retry_interrupted([&] { return ::read(file.get(), bytes.data() + size, bytes.size() - size); });
    if (count < 0) detail::fail_system(path, "read", errno);
    size += static_cast<std::size_t>(count);
    if (size > max_size) too_large("more");
    if (count == 0) {
      bytes.resize(size);
      return bytes;
    }
  }
}

}  // namespace eigan
#endif
