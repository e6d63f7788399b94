// AtomicFile: a file that appears whole or not at all.
//
// The bytes go to a temporary file in the same folder, are forced to the disk, and only then does the file take its
// name, replacing what was there. A reader of the path sees the old file or the new one, even after a power cut;
// a failure half-way leaves the old file alone and removes the temporary.
#pragma once

#include <cstddef>
#include <cstdio>
#include <span>

#include <eigan/io/file_descriptor.hpp>

#if defined(EIGAN_HAS_FILES)
#include <sys/stat.h>

namespace eigan {

/// A file in the making; without commit() nothing comes of it.
class AtomicFile {
 public:
  /// Opens the temporary file; `path` itself is not touched before commit(). A symbolic link is followed, and a file
  /// that is replaced hands its permissions on. Error if the folder does not take a file, if `path` is there and is
  /// not a regular file, or if it is a symbolic link that leads nowhere.
  explicit AtomicFile(const std::filesystem::path& path) : path_(path), target_(path) {
    std::error_code error;
    if (std::filesystem::is_symlink(path, error)) {
      target_ = std::filesystem::canonical(path, error);
      if (error) detail::fail_system(path_, "resolve the symbolic link", error.value());
    }
    struct ::stat status {};
    const bool replaces = ::stat(target_.c_str(), &status) == 0;
    if (replaces && S_ISDIR(status.st_mode)) detail::fail_system(path_, "write", EISDIR);
    if (replaces && !S_ISREG(status.st_mode)) {
      detail::fail_data(detail::display(path_), ": cannot write: expected a regular file, found a device or a pipe");
    }
    create_temporary(replaces ? status.st_mode & 0600 : 0666);  // never readable by more than the file that it replaces
    if (replaces) static_cast<void>(::fchmod(file_.get(), status.st_mode & 07777));
  }

  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  /// Removes the temporary file if commit() was not reached.
  ~AtomicFile() { discard(); }

  /// Appends. Error if the disk does not take it.
  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const auto count = detail::retry_interrupted([&] { return ::write(file_.get(), bytes.data(), bytes.size()); });
      if (count <= 0) fail("write", count == 0 ? ENOSPC : errno);
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }

  /// Makes the file appear under its name. Nothing may be written afterwards. What had that name before is kept in the
  /// same folder under the name `keep`, unless that is empty. At every moment there is a whole file under `path`, as
  /// long as the file system has hard links.
  void commit(const std::filesystem::path& keep = {}) {
    if (!sync(file_)) fail("flush to disk", errno);
    if (!file_.close()) fail("close", errno);
    const detail::FileDescriptor folder(this->folder(), O_RDONLY | O_DIRECTORY);  // what can fail comes before the end
    if (!folder.is_open()) fail("open its folder", errno);
    const std::filesystem::path kept = keep.empty() ? keep : this->folder() / keep.filename();
    const bool moved = !keep.empty() && keep_target(kept);
    if (std::rename(temporary_.c_str(), target_.c_str()) != 0) {
      const int error = errno;
      if (moved) std::rename(kept.c_str(), target_.c_str());
      fail("rename the finished file", error);
    }
    temporary_.clear();
    // The new name itself must reach the disk, too.
    if (!sync(folder)) fail("flush its folder to disk", errno);
  }

 private:
  std::filesystem::path folder() const { return target_.has_parent_path() ? target_.parent_path() : "."; }

  // First a second name for the old file, so that the first one is never without a file. Where there are no links it is
  // moved, and the answer is true.
  bool keep_target(const std::filesystem::path& keep) {
    const std::filesystem::path second = temporary_.native() + "2";
    if (::link(target_.c_str(), second.c_str()) == 0) {
      const int error = std::rename(second.c_str(), keep.c_str()) == 0 ? 0 : errno;
      ::unlink(second.c_str());  // still there if `keep` was a name of the same file
      if (error != 0) fail("keep the old file under another name", error);
      return false;
    }
    if (errno == ENOENT) return false;
    if (std::rename(target_.c_str(), keep.c_str()) != 0) fail("keep the old file under another name", errno);
    return true;
  }

  // The name is short and does not repeat the target's: a target of the longest allowed name must have room.
  void create_temporary(mode_t mode) {
    const std::string prefix = ".eigan-" + std::to_string(::getpid()) + "-";
    for (int attempt = 0; attempt < 1000; ++attempt) {
      auto name = folder() / (prefix + std::to_string(attempt) + ".tmp");
      file_ = detail::FileDescriptor(name, O_WRONLY | O_CREAT | O_EXCL, mode);
      if (file_.is_open()) {
        temporary_ = std::move(name);
        return;
      }
      if (errno != EEXIST) break;
    }
    fail("create a temporary file in its folder", errno);
  }

  // Some network file systems cannot flush and say EINVAL: then there is nothing better to be had.
  static bool sync(const detail::FileDescriptor& file) {
    return detail::retry_interrupted([&] { return ::fsync(file.get()); }) == 0 || errno == EINVAL;
  }

  [[noreturn]] void fail(std::string_view operation, int code) {
    discard();
    detail::fail_system(path_, operation, code);
  }

  void discard() {
    file_.close();
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
    temporary_.clear();
  }

  std::filesystem::path path_;       // as the caller said it
  std::filesystem::path target_;     // symbolic links resolved
  std::filesystem::path temporary_;  // empty when there is none to remove
  detail::FileDescriptor file_;
};

/// Writes a whole file atomically. Error if that fails; then whatever was at `path` is unchanged (except that a folder
/// which cannot be flushed has the new file already, only not yet for sure on the disk).
inline void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}
inline void write_file(const std::filesystem::path& path, std::string_view text) {
  write_file(path, std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace eigan
#endif
