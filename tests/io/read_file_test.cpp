#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <thread>

#include <eigan/io/atomic_file.hpp>
#include <eigan/io/read_file.hpp>

#include "io/support.hpp"

using eigan::read_file;
using eigan::write_file;
using test::contains;
using test::error_text;
using test::TemporaryFolder;
using test::text_of;

TEST_CASE("read_file: files of all sizes around the chunk come back as written") {
  const TemporaryFolder folder;
  for (const std::size_t size : {0u, 1u, 4095u, 4096u, (1u << 20) - 1, 1u << 20, (1u << 20) + 1, 5'000'000u}) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 % 251);
    write_file(folder / "file", text);
    CHECK(text_of(read_file(folder / "file")) == text);
    CHECK(text_of(read_file(folder / "file", size)) == text);
  }
}

TEST_CASE("read_file: a file above the limit is refused, with both sizes") {
  const TemporaryFolder folder;
  write_file(folder / "file", "12345");
  CHECK(error_text([&] { read_file(folder / "file", 4); }) ==
        (folder / "file").string() + ": expected at most 4 bytes, found 5");
}

TEST_CASE("read_file: a huge sparse file is refused before anything is allocated") {
  const TemporaryFolder folder;
  write_file(folder / "file", "");
  std::filesystem::resize_file(folder / "file", std::uint64_t{1} << 40);
  CHECK(contains(error_text([&] { read_file(folder / "file"); }),
                 "expected at most 17179869184 bytes, found 1099511627776"));
}

TEST_CASE("read_file: a pipe is read to its end, and no further than the limit") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  const std::string text(3'000'000, 'x');
  std::thread writer([&] {
    const eigan::detail::FileDescriptor pipe(folder / "pipe", O_WRONLY);
    for (std::size_t at = 0; at < text.size();) {
      const auto count = ::write(pipe.get(), text.data() + at, text.size() - at);
      if (count <= 0) break;
      at += static_cast<std::size_t>(count);
    }
  });
  CHECK(text_of(read_file(folder / "pipe")) == text);
  writer.join();
  CHECK(contains(error_text([] { read_file("/dev/zero", 10'000'000); }),
                 "/dev/zero: expected at most 10000000 bytes, found more"));
}

TEST_CASE("read_file: what cannot be read is named with the reason") {
  const TemporaryFolder folder;
  CHECK(error_text([&] { read_file(folder / "missing"); }) ==
        (folder / "missing").string() + ": cannot open: No such file or directory");
  CHECK(error_text([&] { read_file(folder.path()); }) == folder.path().string() + ": cannot read: Is a directory");
  if (::geteuid() != 0) {  // nothing is unreadable to root
    write_file(folder / "secret", "text");
    REQUIRE(::chmod((folder / "secret").c_str(), 0) == 0);
    CHECK(contains(error_text([&] { read_file(folder / "secret"); }), "cannot open: Permission denied"));
  }
}
