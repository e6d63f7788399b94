// IDX that may be gzip: it is the same file whether it is unpacked on the way or before.
#include <algorithm>

#include <eigan/data/gzip.hpp>
#include <eigan/data/idx.hpp>

#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(data, size);
  eigan::MemorySource packed(bytes, "f"), again(bytes, "f");
  eigan::IdxImages images;
  if (!fuzz::accepts([&] {
        eigan::GunzipSource unpacked(packed);
        images = eigan::read_idx_images(unpacked);
      }))
    return 0;
  eigan::GunzipSource unpacked(again);
  std::vector<std::uint8_t> whole, piece(777);
  for (std::size_t got = piece.size(); got == piece.size();) {
    got = unpacked.read(piece);
    whole.insert(whole.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got));
  }
  fuzz::require(std::ranges::equal(eigan::idx_bytes(images), whole));
  return 0;
}
