// Plain IDX, images and labels: what is accepted is written again as the same bytes.
#include <algorithm>

#include <eigan/data/idx.hpp>

#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(data, size);
  eigan::MemorySource source(bytes, "f");
  fuzz::accepts([&] {
    if (size > 3 && data[3] == 1)
      fuzz::require(std::ranges::equal(eigan::read_idx_labels(source), bytes.subspan(8)));
    else
      fuzz::require(std::ranges::equal(eigan::idx_bytes(eigan::read_idx_images(source)), bytes));
  });
  return 0;
}
