// A model loaded from a safetensors file: it has the file's numbers, or after a refusal its own as before.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <eigan/io/model_file.hpp>
#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

#include "fuzz.hpp"

namespace {

using Net = eigan::Sequential<eigan::Linear<2, 3>, eigan::BatchNorm1d<3>, eigan::LeakyReLU, eigan::Linear<3, 1>>;

bool same_bits(float a, float b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

/// Whether the buffer has the file's numbers; a count that the file lacks is 1.
void check(const eigan::SafetensorsFile& file, const std::vector<eigan::Parameter>& tensors,
           std::span<const float> buffer) {
  for (const auto& p : tensors) {
    std::vector<float> values(static_cast<std::size_t>(p.size()), 1);
    if (const auto* const tensor = file.find(p.name); tensor == nullptr) {
      fuzz::require(p.integer);
    } else if (p.integer) {
      std::int64_t count = 0;
      std::memcpy(&count, file.bytes(*tensor).data(), sizeof count);
      values[0] = static_cast<float>(count);
    } else {
      file.copy_to(*tensor, std::span(values));
    }
    for (eigan::Index row = 0; row < p.rows; ++row)
      for (eigan::Index col = 0; col < p.cols; ++col)
        fuzz::require(same_bits(values[static_cast<std::size_t>(row * p.cols + col)],
                                buffer[static_cast<std::size_t>(p.offset + col * p.rows + row)]));
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const eigan::Model<Net> fresh(eigan::Rng(0));
  static eigan::Model<Net> model(eigan::Rng(0));
  std::ranges::copy(fresh.params(), model.params().begin());
  std::ranges::copy(fresh.state(), model.state().begin());
  bool parsed = false;
  const bool accepted = fuzz::accepts([&] {
    const eigan::SafetensorsFile file(fuzz::copy_of({data, size}), "f");
    parsed = true;
    eigan::load(file, model);
    check(file, model.parameters(), model.params());
    check(file, model.states(), model.state());
  });
  fuzz::require(!accepted || parsed);
  fuzz::require(accepted || (std::ranges::equal(model.params(), fresh.params(), same_bits) &&
                             std::ranges::equal(model.state(), fresh.state(), same_bits)));
  return 0;
}
