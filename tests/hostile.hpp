// Attacks on what reads foreign bytes: files cut short, with bits flipped, with numbers that lie. A reader must refuse
// with an eigan::Error in one printable line, or accept and then hold what the test says holds, and must not take much
// more memory than the file is large. Included once a program, as allocations.hpp is.
#pragma once

#include <doctest/doctest.h>

#include <bit>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include <eigan/core/error.hpp>
#include <eigan/core/printable.hpp>

#include "allocations.hpp"

namespace hostile {

/// Beside twice the file: a reader's own buffers, which do not depend on what it reads.
inline constexpr std::size_t allowance = std::size_t{160} << 10;

struct Tally {
  int accepted = 0, refused = 0;
  void add(bool accepts) { ++(accepts ? accepted : refused); }
};

/// Whether `read(bytes)` accepts. What else it throws than an Error reaches the test and fails it.
template <class Bytes, class Read>
bool accepts(const Bytes& bytes, const Read& read) {
  bool accepted = false;
  std::string message;
  const std::size_t peak = support::peak_heap([&] {
    try {
      read(bytes);
      accepted = true;
    } catch (const eigan::Error& error) {
      message = error.what();
    }
  });
  CHECK(peak <= 2 * bytes.size() + allowance);
  if (!accepted) {
    CHECK_FALSE(message.empty());
    CHECK(message == eigan::printable(message, std::numeric_limits<std::size_t>::max()));
  }
  return accepted;
}

/// The file cut short at every byte.
template <class Bytes, class Read>
Tally cut(const Bytes& bytes, const Read& read) {
  Tally tally;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    tally.add(accepts(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)), read));
  }
  return tally;
}

/// Every bit flipped, one at a time, from byte `first` on.
template <class Bytes, class Read>
Tally flip(const Bytes& bytes, const Read& read, std::size_t first = 0) {
  using Byte = typename Bytes::value_type;
  Tally tally;
  for (std::size_t bit = 8 * first; bit < 8 * bytes.size(); ++bit) {
    CAPTURE(bit);
    Bytes damaged = bytes;
    damaged[bit / 8] = static_cast<Byte>(static_cast<unsigned char>(damaged[bit / 8]) ^ (1u << bit % 8));
    tally.add(accepts(damaged, read));
  }
  return tally;
}

/// The binary number of `width` bytes at `at` set to 0, 1, -1, the largest with a sign, and the one above it.
template <class Bytes, class Read>
Tally set_number(const Bytes& bytes, std::size_t at, std::size_t width, std::endian order, const Read& read) {
  using Byte = typename Bytes::value_type;
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max() >> (64 - 8 * width);
  Tally tally;
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{1}, most, most / 2, most / 2 + 1}) {
    CAPTURE(at);
    CAPTURE(value);
    Bytes damaged = bytes;
    for (std::size_t i = 0; i < width; ++i)
      damaged[order == std::endian::little ? at + i : at + width - 1 - i] =
          static_cast<Byte>(static_cast<unsigned char>(value >> 8 * i & 255));
    tally.add(accepts(damaged, read));
  }
  return tally;
}

/// Every number in decimal digits inside `header` set to the same and their neighbours; `whole` makes a file of a
/// header.
template <class Whole, class Read>
Tally set_decimals(const std::string& header, const Whole& whole, const Read& read) {
  const auto is_digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  Tally tally;
  for (std::size_t begin = 0, end = 0; begin < header.size(); begin = end + 1) {
    for (end = begin; end < header.size() && is_digit(header[end]);) ++end;
    if (end == begin) continue;
    for (const char* value : {"0", "1", "-1", "2147483648", "4294967295", "4294967296", "9223372036854775807",
                              "9223372036854775808", "18446744073709551615", "18446744073709551616"}) {
      const std::string changed = header.substr(0, begin) + value + header.substr(end);
      CAPTURE(changed);
      tally.add(accepts(whole(changed), read));
    }
  }
  return tally;
}

}  // namespace hostile
