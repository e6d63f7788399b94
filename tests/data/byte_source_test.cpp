#include "support.hpp"

#include <eigan/data/byte_source.hpp>

using eigan::FileSource;
using eigan::MemorySource;
using test::Bytes;

TEST_CASE("MemorySource: hands out its bytes in order and stops at the end") {
  const Bytes bytes = test::counting(10);
  MemorySource source(bytes, "ten");
  CHECK(source.name() == "ten");
  Bytes part(4);
  CHECK(source.read(part) == 4);
  CHECK(part == Bytes{0, 1, 2, 3});
  CHECK(source.read(part) == 4);
  CHECK(part == Bytes{4, 5, 6, 7});
  CHECK(source.read(part) == 2);
  CHECK(part == Bytes{8, 9, 6, 7});
  CHECK(source.read(part) == 0);
}

TEST_CASE("FileSource: reads what the file holds") {
  const test::TemporaryFolder folder;
  const Bytes bytes = test::counting(1000);
  FileSource source(folder.write("bytes", bytes));
  CHECK(eigan::read_up_to(source, 999) == test::counting(999));
  CHECK(eigan::read_up_to(source, 999) == Bytes{999 % 256});
}

TEST_CASE("FileSource: what cannot be read is named, without control characters") {
  const test::TemporaryFolder folder;
  const auto missing = folder.path() / "no\x1b[31m\nsuch";
  const auto text = test::error_of([&] { FileSource source(missing); });
  CHECK(test::contains(text, "no\\x1b[31m\\x0asuch: cannot open: No such file"));
  CHECK(text.find('\n') == std::string::npos);
  CHECK(test::contains(test::error_of([&] {
                         FileSource source(folder.path());
                         Bytes byte(1);
                         source.read(byte);
                       }),
                       ": cannot read: Is a directory"));
}

TEST_CASE("read_up_to: is right around the edges of its chunks") {
  constexpr std::size_t chunk = std::size_t{1} << 16;
  const Bytes bytes = test::counting(2 * chunk + 1);
  bool all_right = true;
  for (const std::size_t count :
       {std::size_t{0}, std::size_t{1}, chunk - 1, chunk, chunk + 1, 2 * chunk, 2 * chunk + 1}) {
    MemorySource source(bytes);
    all_right = all_right && eigan::read_up_to(source, count) == test::counting(count);
  }
  CHECK(all_right);
}

TEST_CASE("read_up_to: allocates what comes, not what is asked for") {
  constexpr std::size_t chunk = std::size_t{1} << 16;
  for (const std::size_t size : {std::size_t{5}, 20 * chunk}) {
    const Bytes bytes(size);
    MemorySource source(bytes);
    std::size_t got = 0;
    CHECK(test::peak_heap([&] { got = eigan::read_up_to(source, ~std::size_t{0}).size(); }) < 2 * size + 2 * chunk);
    CHECK(got == size);
  }
}
