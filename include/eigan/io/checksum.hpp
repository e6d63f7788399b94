// Checksum: notices that bytes are not those that were written. A hash in the manner of FNV-1a (Fowler, Noll, Vo), over
// words of 64 bits: h = (h ^ word) c, h = (h ^ (h >> 32)) c. Each step is one to one in h and in the word, so a change
// within any one word always shows; other damage is overlooked once in 2^64 times. It protects from accidents, not
// forgery.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace eigan::detail {

class Checksum {
 public:
  /// Takes in the bytes and their number, so that "ab", "c" is not "a", "bc".
  void add(std::span<const std::byte> bytes) {
    mix(bytes.size());
    for (; bytes.size() >= sizeof(std::uint64_t); bytes = bytes.subspan(sizeof(std::uint64_t))) mix(word(bytes, 8));
    if (!bytes.empty()) mix(word(bytes, bytes.size()));
  }
  void add(std::string_view text) { add(std::as_bytes(std::span(text.data(), text.size()))); }

  /// 16 hexadecimal digits.
  std::string text() const {
    char digits[16];
    const char* const end = std::to_chars(digits, digits + 16, state_, 16).ptr;
    const auto length = static_cast<std::size_t>(end - digits);
    return std::string(16 - length, '0').append(digits, length);
  }

 private:
  static std::uint64_t word(std::span<const std::byte> bytes, std::size_t count) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), count);
    return word;
  }
  void mix(std::uint64_t word) {
    constexpr std::uint64_t odd = 0x9E3779B97F4A7C15;  // so that nothing is lost
    state_ = (state_ ^ word) * odd;
    state_ = (state_ ^ state_ >> 32) * odd;  // or the words' topmost bits would reach no others
  }

  std::uint64_t state_ = 0xcbf29ce484222325;
};

}  // namespace eigan::detail
