// safetensors: what is accepted is written, read again and found equal, and a second writing changes no byte.
#include <algorithm>
#include <string>

#include <eigan/io/safetensors.hpp>
#include <eigan/io/write_safetensors.hpp>

#include "fuzz.hpp"

namespace {

std::vector<std::byte> written(const eigan::SafetensorsFile& file) {
  std::vector<eigan::TensorView> views;
  for (const auto& tensor : file.tensors())
    views.push_back({tensor.name, tensor.dtype, tensor.shape, file.bytes(tensor), tensor.other});
  const std::string header = eigan::detail::safetensors_header(views, file.metadata());
  const auto start = std::as_bytes(std::span(header));
  std::vector<std::byte> bytes(start.begin(), start.end());
  for (const auto& view : views) bytes.insert(bytes.end(), view.data.begin(), view.data.end());
  return bytes;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::accepts([&] {
    const eigan::SafetensorsFile file(fuzz::copy_of({data, size}), "f");
    const auto bytes = written(file);
    const eigan::SafetensorsFile again(bytes, "again");
    fuzz::require(again.metadata() == file.metadata() && again.tensors().size() == file.tensors().size());
    for (const auto& tensor : file.tensors()) {
      const auto* const found = again.find(tensor.name);
      fuzz::require(found != nullptr && found->type() == tensor.type() && found->shape == tensor.shape);
      fuzz::require(std::ranges::equal(again.bytes(*found), file.bytes(tensor)));
    }
    fuzz::require(written(again) == bytes);
  });
  return 0;
}
