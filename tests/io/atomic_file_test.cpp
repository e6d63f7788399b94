#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <eigan/io/atomic_file.hpp>
#include <eigan/io/read_file.hpp>

#include "io/support.hpp"

using eigan::AtomicFile;
using eigan::read_file;
using eigan::write_file;
using test::contains;
using test::error_text;
using test::TemporaryFolder;
using test::text_of;

namespace {
thread_local mode_t mode_before_fchmod = 07777;  // of the file that this thread gave its permissions last
}

// In place of the C library's, to see what a file was before.
extern "C" int fchmod(int file, mode_t mode) noexcept {
  struct ::stat status {};
  if (::fstat(file, &status) == 0) mode_before_fchmod = status.st_mode & 07777;
  return static_cast<int>(::syscall(SYS_fchmod, file, mode));
}

namespace {

std::string content(const std::filesystem::path& path) {
  return text_of(read_file(path));
}

mode_t mode_of(const std::filesystem::path& path) {
  struct ::stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

// While it lives, no file can grow beyond `bytes`: writing fails half-way, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

}  // namespace

TEST_CASE("AtomicFile: nothing is visible before commit, everything after it") {
  const TemporaryFolder folder;
  const auto path = folder / "model";
  {
    AtomicFile file(path);
    file.write("first ");
    CHECK_FALSE(std::filesystem::exists(path));
    file.write("second");
    file.commit();
    CHECK(content(path) == "first second");
  }
  CHECK(folder.names() == std::vector<std::string>{"model"});
}

TEST_CASE("AtomicFile: what replaces a secret is at no time readable by others") {
  const TemporaryFolder folder;
  for (const mode_t mode : {mode_t{0600}, mode_t{0640}, mode_t{0400}, mode_t{0666}}) {
    write_file(folder / "secret", "old");
    REQUIRE(::chmod((folder / "secret").c_str(), mode) == 0);
    mode_before_fchmod = 07777;
    AtomicFile file(folder / "secret");
    CHECK((mode_before_fchmod & ~mode & 07777) == 0);
    CHECK((mode_before_fchmod & 077) == 0);
    file.write("new");
    file.commit();
    CHECK(mode_of(folder / "secret") == mode);
    CHECK(content(folder / "secret") == "new");
    std::filesystem::remove(folder / "secret");
  }
}

TEST_CASE("AtomicFile: without commit the old file stays and the temporary goes") {
  const TemporaryFolder folder;
  write_file(folder / "model", "old");
  {
    AtomicFile file(folder / "model");
    file.write("new");
    CHECK(folder.names().size() == 2);
  }
  CHECK(content(folder / "model") == "old");
  CHECK(folder.names() == std::vector<std::string>{"model"});
}

TEST_CASE("AtomicFile: a write that fails half-way leaves the old file and no temporary") {
  const TemporaryFolder folder;
  write_file(folder / "model", "old");
  {
    const FileSizeLimit limit(5000);
    const auto text = error_text([&] { write_file(folder / "model", std::string(100'000, 'x')); });
    CHECK(text == (folder / "model").string() + ": cannot write: File too large");
  }
  CHECK(content(folder / "model") == "old");
  CHECK(folder.names() == std::vector<std::string>{"model"});
}

TEST_CASE("AtomicFile: where no file can be, one line says so and nothing is left behind") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "folder");
  write_file(folder / "file", "text");
  // A pipe of our own: were the check broken, a test that ran as root would replace the machine's /dev/null.
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  const auto before = folder.names();
  const auto refused = [&](const std::filesystem::path& path, const char* reason) {
    CAPTURE(path);
    const auto text = error_text([&] { write_file(path, "text"); });
    CHECK(text.rfind(path.string() + ": cannot ", 0) == 0);
    CHECK(contains(text, reason));
    CHECK(folder.names() == before);
  };
  refused(folder / "missing" / "model", "create a temporary file in its folder: No such file or directory");
  refused(folder / "file" / "model", "Not a directory");
  refused(folder / "folder", "write: Is a directory");
  refused(folder / std::string(300, 'n'), "rename the finished file: File name too long");
  refused(folder / "pipe", "expected a regular file, found a device or a pipe");
  CHECK(std::filesystem::is_fifo(folder / "pipe"));
}

TEST_CASE("AtomicFile: a path with control characters cannot break the message's line") {
  CHECK(contains(error_text([] { write_file("/missing/a\nb\x1b[31m", "text"); }), "/missing/a\\x0ab\\x1b[31m: cannot"));
}

TEST_CASE("AtomicFile: a name of the longest allowed length can be written") {
  const TemporaryFolder folder;
  const std::string name(255, 'n');
  write_file(folder / name, "text");
  CHECK(folder.names() == std::vector<std::string>{name});
}

TEST_CASE("AtomicFile: a path without a folder means the current one") {
  const TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  write_file("bare", "text");
  std::filesystem::current_path(before);
  CHECK(content(folder / "bare") == "text");
}

TEST_CASE("AtomicFile: a symbolic link is followed, not replaced") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "elsewhere");
  write_file(folder / "elsewhere/real", "old");
  std::filesystem::create_symlink("elsewhere/real", folder / "link");
  write_file(folder / "link", "new");
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(content(folder / "elsewhere/real") == "new");

  std::filesystem::create_symlink("elsewhere/nothing", folder / "dangling");
  CHECK_THROWS_WITH_AS(
      write_file(folder / "dangling", "new"),
      ((folder / "dangling").string() + ": cannot resolve the symbolic link: No such file or directory").c_str(),
      eigan::Error);
  CHECK(std::filesystem::is_symlink(folder / "dangling"));
}

TEST_CASE("AtomicFile: a new file has the usual permissions, a replaced one keeps its own") {
  const TemporaryFolder folder;
  const mode_t mask = ::umask(027);
  write_file(folder / "new", "text");
  CHECK(mode_of(folder / "new") == 0640);
  REQUIRE(::chmod((folder / "new").c_str(), 0604) == 0);
  write_file(folder / "new", "text");
  CHECK(mode_of(folder / "new") == 0604);
  ::umask(mask);
}

TEST_CASE("AtomicFile: leftovers of a killed process are stepped over") {
  const TemporaryFolder folder;
  std::vector<std::string> leftovers;
  for (int i = 0; i < 3; ++i) {
    leftovers.push_back(".eigan-" + std::to_string(::getpid()) + "-" + std::to_string(i) + ".tmp");
    std::filesystem::create_directory(folder / leftovers.back());
  }
  write_file(folder / "model", "text");
  leftovers.emplace_back("model");
  CHECK(folder.names() == leftovers);
}

TEST_CASE("AtomicFile: readers see one of several writers' files, whole") {
  const TemporaryFolder folder;
  const auto path = folder / "model";
  write_file(path, std::string(50'000, 'a'));
  std::atomic<bool> stop = false;
  std::vector<std::thread> writers;
  for (const char letter : {'a', 'b', 'c'}) {
    writers.emplace_back([&, letter] {
      while (!stop) write_file(path, std::string(50'000, letter));
    });
  }
  for (int i = 0; i < 100; ++i) {
    const std::string text = content(path);
    CHECK(text == std::string(50'000, text[0]));
  }
  stop = true;
  for (auto& writer : writers) writer.join();
  CHECK(folder.names() == std::vector<std::string>{"model"});
}
