// FileDescriptor: an open POSIX file that is closed when it goes out of scope, and how a failed operation is told.
#pragma once

#include <eigan/io/has_files.hpp>
#if defined(EIGAN_HAS_FILES)
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#endif

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <eigan/core/error.hpp>
#include <eigan/core/printable.hpp>

#if defined(EIGAN_HAS_FILES)
namespace eigan::detail {

/// How a path appears in messages.
inline std::string display(const std::filesystem::path& path) {
  return printable(path.native(), 4096);
}

/// Throws Error "PATH: cannot OPERATION: REASON" with the system's text for `code`, an errno.
[[noreturn]] inline void fail_system(const std::filesystem::path& path, std::string_view operation, int code) {
  fail_data(display(path), ": cannot ", operation, ": ", std::generic_category().message(code));
}

/// Repeats a system call that a signal interrupted.
template <class Call>
auto retry_interrupted(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

class FileDescriptor {
 public:
  FileDescriptor() = default;
  FileDescriptor(const std::filesystem::path& path, int flags, mode_t mode = 0)
      : descriptor_(retry_interrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); })) {}
  FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FileDescriptor() { close(); }

  bool is_open() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }

  /// False, with errno set, if data written earlier turned out not to be storable.
  bool close() {
    const int descriptor = std::exchange(descriptor_, -1);
    return descriptor < 0 || ::close(descriptor) == 0;
  }

 private:
  int descriptor_ = -1;
};

}  // namespace eigan::detail
#endif
