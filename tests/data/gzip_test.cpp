#include "support.hpp"

#include <eigan/data/gzip.hpp>

using test::Bytes;
using test::contains;
using test::operator+;  // NOLINT(misc-unused-using-decls): it is used

namespace {

/// Everything that comes out of these bytes, asked for in pieces of `step`.
Bytes unpack(const Bytes& packed, std::size_t step = 100) {
  eigan::MemorySource memory(packed, "file.gz");
  eigan::GunzipSource source(memory);
  Bytes all, part(step);
  for (std::size_t got = step; got == step;) {
    got = source.read(part);
    all.insert(all.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(got));
  }
  return all;
}

std::string error_of(const Bytes& packed) {
  return test::error_of([&] { unpack(packed); });
}

/// Bytes that hardly compress, longer than the source's own buffer.
Bytes noise(std::size_t count) {
  Bytes bytes(count);
  std::uint32_t state = 1;
  for (auto& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<std::uint8_t>(state >> 24);
  }
  return bytes;
}

}  // namespace

TEST_CASE("GunzipSource: gzip or not is told by content, and both come out the same") {
  for (const unsigned size : {0u, 1u, 2u, 3u, 99u, 100u, 101u, 65535u, 65536u, 65537u, 300000u}) {
    const Bytes bytes = noise(size);
    for (const unsigned step : {1u, 100u, 65536u, 1000000u}) {
      if (step == 1 && size > 1000) continue;
      CAPTURE(size);
      CAPTURE(step);
      CHECK(unpack(bytes, step) == bytes);
      CHECK(unpack(test::gzip(bytes), step) == bytes);
    }
  }
  const Bytes packed = test::gzip({1});
  eigan::MemorySource packed_memory(packed);
  CHECK(eigan::GunzipSource(packed_memory).is_gzip());
  const Bytes plain{0x1F, 0x8C};
  eigan::MemorySource plain_memory(plain);
  CHECK_FALSE(eigan::GunzipSource(plain_memory).is_gzip());
}

TEST_CASE("GunzipSource: several members are one stream, wherever the buffer's edge falls") {
  CHECK(unpack(test::gzip({1, 2}) + test::gzip({}) + test::gzip({3})) == Bytes{1, 2, 3});
  for (std::size_t size = 65500; size < 65540; ++size) {  // the second member begins around the buffer's 65536
    const Bytes first = noise(size);
    const Bytes packed = test::gzip(first);
    CAPTURE(packed.size());
    CHECK(unpack(packed + test::gzip({7})) == first + Bytes{7});
    CHECK(contains(error_of(packed + Bytes{7}), "more bytes follow"));
  }
}

TEST_CASE("GunzipSource: anything after the last member is refused") {
  const Bytes packed = test::gzip({1, 2, 3});
  const auto place = "file.gz: the gzip data end at byte " + std::to_string(packed.size());
  for (const Bytes& rest : {Bytes{0}, Bytes{0x1F}, Bytes{0x1F, 0x8C}, Bytes(512), test::bytes_of("hello")}) {
    CHECK(contains(error_of(packed + rest), place));
  }
}

TEST_CASE("GunzipSource: cut at any byte, gzip data are refused") {
  const Bytes packed = test::gzip(noise(500));
  for (std::size_t size = 2; size < packed.size(); ++size) {
    CAPTURE(size);
    const auto text = error_of({packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(size)});
    CHECK(contains(text, "the gzip data end too early, after " + std::to_string(size) + " bytes"));
  }
}

TEST_CASE("GunzipSource: a wrong checksum or length is refused") {
  const Bytes packed = test::gzip(noise(500));
  for (std::size_t from_end = 1; from_end <= 8; ++from_end) {
    Bytes damaged = packed;
    damaged[packed.size() - from_end] ^= 1;
    CHECK(contains(error_of(damaged), from_end <= 4 ? "incorrect length check" : "incorrect data check"));
  }
}

TEST_CASE("GunzipSource: hostile files: refused, or unpacked to the same") {
  const Bytes bytes = noise(300);
  const Bytes packed = test::gzip(bytes);
  const auto read = [&](const Bytes& damaged) {
    const auto unpacked = unpack(damaged);  // outside of CHECK, which would keep the refusal to itself
    CHECK(unpacked == bytes);
  };
  const auto flipped = hostile::flip(packed, read, 2);  // not in 1f 8b: then it is no gzip
  CHECK(flipped.refused > flipped.accepted);
  CHECK(flipped.accepted < 80);  // time stamp, system and the like may change
  for (const std::size_t from_end : {4u, 8u})
    CHECK(hostile::set_number(packed, packed.size() - from_end, 4, std::endian::little, read).accepted == 0);
}

TEST_CASE("GunzipSource: a gigabyte out of a megabyte is refused, and little of it unpacked") {
  const Bytes bomb = test::gzip_bomb({});
  eigan::MemorySource memory(bomb, "bomb.gz");
  eigan::GunzipSource source(memory);
  std::size_t unpacked = 0;
  const auto text = test::error_of([&] {
    Bytes part(1 << 20);
    while (source.read(part) == part.size()) unpacked += part.size();
  });
  CHECK(contains(text, "bomb.gz: the gzip data unpack to more than 100 times their size"));
  CHECK(unpacked <= std::size_t{32} << 20);
  // The same rule lets through what is merely blank.
  const Bytes blank(std::size_t{15} << 20);
  CHECK(unpack(test::gzip(blank), 1 << 20) == blank);
}

TEST_CASE("GunzipSource: unpacks no more than is asked for") {
  const Bytes bomb = test::gzip(Bytes(std::size_t{64} << 20));
  REQUIRE(bomb.size() < 100000);
  eigan::MemorySource memory(bomb);
  eigan::GunzipSource source(memory);
  Bytes part(784);
  std::size_t got = 0;
  CHECK(test::peak_heap([&] { got = source.read(part); }) < 65536);  // zlib's window
  CHECK(got == 784);
}
