// .npy: what is accepted has as many elements as its shape says; written again, it is read back equal.
#include <eigan/io/npy.hpp>

#include "fuzz.hpp"

namespace {

template <class T>
void check_round_trip(const eigan::NpyArray& array) {
  const auto header = eigan::detail::npy_header<T>(static_cast<eigan::Index>(array.shape[0]),
                                                   static_cast<eigan::Index>(array.shape[1]));
  const auto start = std::as_bytes(std::span(header));
  std::vector<std::byte> bytes(start.begin(), start.end());
  bytes.insert(bytes.end(), array.data.begin(), array.data.end());
  const auto again = eigan::parse_npy(bytes, "again");
  fuzz::require(again.dtype == array.dtype && again.shape == array.shape && again.data == array.data);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::accepts([&] {
    const auto array = eigan::parse_npy(std::as_bytes(std::span(data, size)), "f");
    std::uint64_t count = 1;
    for (const auto extent : array.shape) count *= extent;
    fuzz::require(array.values<float>().size() == count && array.values<double>().size() == count);
    if (array.shape.size() == 2 && array.dtype == eigan::Dtype::f32) check_round_trip<float>(array);
    if (array.shape.size() == 2 && array.dtype == eigan::Dtype::f64) check_round_trip<double>(array);
  });
  return 0;
}
