#include <doctest/doctest.h>

#include <cerrno>
#include <utility>

#include <eigan/io/file_descriptor.hpp>

#include "io/support.hpp"

using eigan::detail::FileDescriptor;

namespace {
bool is_open(int descriptor) {
  return ::fcntl(descriptor, F_GETFD) != -1;
}
}  // namespace

TEST_CASE("FileDescriptor: is closed at the end of its scope, once, wherever it was moved") {
  int number = -1;
  {
    FileDescriptor first("/dev/null", O_RDONLY);
    REQUIRE(first.is_open());
    number = first.get();
    CHECK((::fcntl(number, F_GETFD) & FD_CLOEXEC) != 0);
    FileDescriptor second(std::move(first));
    CHECK(second.get() == number);
    FileDescriptor third;
    CHECK_FALSE(third.is_open());
    third = std::move(second);
    CHECK(third.get() == number);
    CHECK(is_open(number));
  }
  CHECK_FALSE(is_open(number));
}

TEST_CASE("FileDescriptor: close tells whether it worked, and does nothing the second time") {
  FileDescriptor file("/dev/null", O_RDONLY);
  const int number = file.get();
  CHECK(file.close());
  CHECK_FALSE(is_open(number));
  CHECK(file.close());
  FileDescriptor stolen("/dev/null", O_RDONLY);
  ::close(stolen.get());
  CHECK_FALSE(stolen.close());
  CHECK(errno == EBADF);
}

TEST_CASE("FileDescriptor: a failed call interrupted by a signal is made again") {
  int calls = 0;
  const auto call = [&] {
    errno = EINTR;
    return ++calls < 3 ? -1 : 7;
  };
  CHECK(eigan::detail::retry_interrupted(call) == 7);
  CHECK(calls == 3);
}

TEST_CASE("FileDescriptor: a failure is told with path, operation and reason") {
  CHECK(test::error_text([] { eigan::detail::fail_system("runs/a\n", "write", ENOSPC); }) ==
        "runs/a\\x0a: cannot write: No space left on device");
}
