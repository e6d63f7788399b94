// GunzipSource: the bytes of another source, unpacked if they are gzip and unchanged if not.
//
// Which of the two it is, the first two bytes say (gzip begins with 1f 8b), never a file name. Several gzip members in
// a row are one stream, as for gzip itself; anything else after a member is an error. Bytes are unpacked only as they
// are asked for, so a bomb costs no more than its reader wants, and one that unpacks to more than max_gzip_ratio times
// its size is refused. The only header that needs zlib (link ZLIB::ZLIB).
#pragma once

#include <zlib.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <span>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/data/byte_source.hpp>

namespace eigan {

/// How many bytes are unpacked for each packed one, beyond the first 16 MiB: the images of MNIST are five, deflate's
/// utmost is a thousand.
inline constexpr std::uint64_t max_gzip_ratio = 100;

/// Unpacks on the way what is gzip.
class GunzipSource final : public ByteSource {
 public:
  /// Reads from `packed`, which must outlive this.
  explicit GunzipSource(ByteSource& packed) : ByteSource(packed.name()), packed_(packed) {
    in_member_ = is_gzip_ = next_is_gzip();
    // 16 asks zlib for the gzip format, with its checksum and length checked.
    if (is_gzip_ && inflateInit2(&inflater_, 16 + MAX_WBITS) != Z_OK) detail::raise(std::bad_alloc());
  }
  /// Leaves the packed source where it stands.
  ~GunzipSource() override {
    if (is_gzip_) inflateEnd(&inflater_);
  }

  /// Whether the source is gzip.
  bool is_gzip() const { return is_gzip_; }

  /// As ByteSource::read. Throws Error when gzip data are damaged, end too early, or are followed by something else.
  std::size_t read(std::span<std::uint8_t> out) override { return is_gzip_ ? unpack(out) : pass(out); }

 private:
  std::size_t pass(std::span<std::uint8_t> out) {
    const std::size_t buffered = std::min<std::size_t>(out.size(), inflater_.avail_in);
    std::copy_n(inflater_.next_in, buffered, out.begin());
    skip(buffered);
    return buffered + packed_.read(out.subspan(buffered));
  }

  std::size_t unpack(std::span<std::uint8_t> out) {
    std::size_t written = 0;
    while (written < out.size() && (in_member_ || start_member())) {
      if (inflater_.avail_in == 0) refill();
      if (inflater_.avail_in == 0) {
        detail::fail_data(name(), ": the gzip data end too early, after ", consumed(),
                          " bytes: the file is incomplete");
      }
      const auto room =
          static_cast<uInt>(std::min<std::size_t>(out.size() - written, std::numeric_limits<uInt>::max()));
      inflater_.next_out = out.data() + written;
      inflater_.avail_out = room;
      const int status = inflate(&inflater_, Z_NO_FLUSH);
      written += room - inflater_.avail_out;
      unpacked_ += room - inflater_.avail_out;
      if (unpacked_ > std::uint64_t{16} << 20 && unpacked_ / max_gzip_ratio > consumed()) {
        detail::fail_data(name(), ": the gzip data unpack to more than ", max_gzip_ratio, " times their size, ",
                          consumed(), " bytes to ", unpacked_, " so far: made to fill the memory");
      }
      if (status == Z_MEM_ERROR) detail::raise(std::bad_alloc());
      if (status == Z_STREAM_END) {
        in_member_ = false;
      } else if (status != Z_OK && status != Z_BUF_ERROR) {  // the latter: nothing left to do without more input
        detail::fail_data(name(), ": the gzip data are damaged near byte ", consumed(), ": ",
                          inflater_.msg != nullptr ? inflater_.msg : "unexpected dictionary");
      }
    }
    return written;
  }

  /// Begins the next gzip member; false at the end of the source.
  bool start_member() {
    in_member_ = next_is_gzip();
    if (!in_member_ && inflater_.avail_in > 0) {
      detail::fail_data(name(), ": the gzip data end at byte ", consumed(), ", but more bytes follow");
    }
    if (in_member_) inflateReset(&inflater_);
    return in_member_;
  }

  /// Whether the two bytes that come next begin a gzip member.
  bool next_is_gzip() {
    if (inflater_.avail_in < 2) refill();
    return inflater_.avail_in >= 2 && inflater_.next_in[0] == 0x1F && inflater_.next_in[1] == 0x8B;
  }

  /// Moves what is left of the buffer to its front and fills the rest.
  void refill() {
    std::copy_n(inflater_.next_in, inflater_.avail_in, buffer_.begin());
    const std::size_t got = packed_.read(std::span(buffer_).subspan(inflater_.avail_in));
    taken_ += got;
    inflater_.next_in = buffer_.data();
    inflater_.avail_in += static_cast<uInt>(got);
  }

  void skip(std::size_t count) {
    inflater_.next_in += count;
    inflater_.avail_in -= static_cast<uInt>(count);
  }

  /// How many packed bytes are used up: the place of an error.
  std::uint64_t consumed() const { return taken_ - inflater_.avail_in; }

  ByteSource& packed_;
  std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(65536);  // not on the stack, which may be small
  z_stream inflater_{};  // next_in and avail_in are the unused part of buffer_ in either mode
  std::uint64_t taken_ = 0, unpacked_ = 0;
  bool is_gzip_ = false;
  bool in_member_ = false;
};

}  // namespace eigan
