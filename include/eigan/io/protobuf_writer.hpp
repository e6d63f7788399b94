// ProtobufWriter: a Protocol Buffers message in the making, as far as ONNX needs it
// (https://protobuf.dev/programming-guides/encoding): a field is a key, (number << 3 | wire type), then a varint, four
// bytes, or a length with as many bytes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace eigan {

/// Each function appends one field and returns the writer.
class ProtobufWriter {
 public:
  /// A number, as int32, int64 and enumerations are written.
  ProtobufWriter& number(int field, std::int64_t value) {
    key(field, varint_type);
    varint(static_cast<std::uint64_t>(value));
    return *this;
  }
  /// A float.
  ProtobufWriter& real(int field, float value) {
    key(field, four_bytes_type);
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) bytes_ += static_cast<char>(bits >> shift & 255);
    return *this;
  }
  /// A string.
  ProtobufWriter& text(int field, std::string_view value) {
    key(field, length_type);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  /// Bytes.
  ProtobufWriter& raw(int field, std::span<const std::byte> value) {
    key(field, length_type);
    varint(value.size());
    for (const std::byte b : value) bytes_ += static_cast<char>(b);
    return *this;
  }
  /// Another message.
  ProtobufWriter& message(int field, const ProtobufWriter& value) { return text(field, value.bytes_); }

  /// What has been written.
  const std::string& bytes() const { return bytes_; }

 private:
  static constexpr std::uint64_t varint_type = 0, length_type = 2, four_bytes_type = 5;

  void key(int field, std::uint64_t type) { varint(static_cast<std::uint64_t>(field) << 3 | type); }
  /// Seven bits a byte, the lowest first; the eighth says that more follow.
  void varint(std::uint64_t value) {
    for (; value >= 128; value >>= 7) bytes_ += static_cast<char>((value & 127) | 128);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

}  // namespace eigan
