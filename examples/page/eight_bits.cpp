#include "eight_bits.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <utility>

#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/io/write_safetensors.hpp>

namespace page {

using eigan::Dtype;
using eigan::SafetensorsFile;
using eigan::TensorInfo;
using eigan::TensorView;

namespace {

constexpr const char* key = "quantised";
constexpr const char* rows = "rows";
const std::string scale_suffix = ".scale";
constexpr float largest = 127;

template <class... Parts>
[[noreturn]] void fail(const SafetensorsFile& file, const TensorInfo& tensor, const Parts&... parts) {
  eigan::detail::fail_data(file.name(), ": tensor '", eigan::printable(tensor.name), "': ", parts...);
}

bool is_quantised(const SafetensorsFile& file) {
  const auto stated = file.metadata().find(key);
  return stated != file.metadata().end() && stated->second == rows;
}

std::vector<float> floats(const SafetensorsFile& file, const TensorInfo& tensor) {
  std::vector<float> values(file.bytes(tensor).size() / eigan::dtype_size(tensor.dtype));
  file.copy_to(tensor, std::span(values));
  return values;
}

/// The tensors of a file in the making, and the memory behind them.
class Tensors {
 public:
  template <class T>
  void add(const std::string& name, Dtype dtype, const std::vector<std::uint64_t>& shape, std::span<const T> values) {
    const auto bytes = std::as_bytes(values);
    memory_.emplace_back(bytes.begin(), bytes.end());
    views_.push_back({name, dtype, shape, memory_.back()});
  }
  std::vector<std::byte> file(const std::map<std::string, std::string>& metadata) const {
    return eigan::safetensors_bytes(views_, metadata);
  }

 private:
  std::vector<std::vector<std::byte>> memory_;
  std::vector<TensorView> views_;
};

void add_quantised(const SafetensorsFile& file, const TensorInfo& tensor, Tensors& to) {
  const std::vector<float> weights = floats(file, tensor);
  const auto count = static_cast<std::size_t>(tensor.shape.front());
  const std::size_t row = count == 0 ? 0 : weights.size() / count;
  std::vector<float> scales(count);
  std::vector<std::int8_t> numbers(weights.size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto part = std::span(weights).subspan(i * row, row);
    float most = 0;
    for (const float weight : part) {
      if (!eigan::detail::is_finite(static_cast<double>(weight)))
        fail(file, tensor, "expected finite weights, found ", weight);
      most = std::max(most, std::abs(weight));
    }
    scales[i] = most / largest;
    for (std::size_t j = 0; j < row; ++j)
      numbers[i * row + j] = static_cast<std::int8_t>(most > 0 ? std::lround(part[j] / most * largest) : 0);
  }
  to.add<std::int8_t>(tensor.name, Dtype::i8, tensor.shape, numbers);
  to.add<float>(tensor.name + scale_suffix, Dtype::f32, {tensor.shape.front()}, scales);
}

void add_in_full(const SafetensorsFile& file, const TensorInfo& tensor, Tensors& to) {
  const TensorInfo* const scale = file.find(tensor.name + scale_suffix);
  if (tensor.shape.empty()) fail(file, tensor, "expected rows of eight bits, found a single number");
  const std::uint64_t count = tensor.shape.front();
  if (scale == nullptr || scale->shape != std::vector{count})
    fail(file, tensor, "expected a tensor '", eigan::printable(tensor.name), scale_suffix, "' of ", count,
         " scales beside it, found ", scale == nullptr ? "none" : eigan::detail::shape_text(scale->shape));
  const std::vector<float> scales = floats(file, *scale);
  const auto numbers = file.bytes(tensor);
  const std::size_t row = scales.empty() ? 0 : numbers.size() / scales.size();
  std::vector<float> weights(numbers.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!eigan::detail::is_finite(static_cast<double>(scales[i / row])))
      fail(file, *scale, "expected finite scales, found ", scales[i / row]);
    weights[i] = scales[i / row] * static_cast<float>(std::to_integer<std::int8_t>(numbers[i]));
  }
  to.add<float>(tensor.name, Dtype::f32, tensor.shape, weights);
}

}  // namespace

std::vector<std::byte> with_eight_bits(const SafetensorsFile& file) {
  if (is_quantised(file)) eigan::detail::fail_data(file.name(), ": expected a model in full, found one of eight bits");
  Tensors tensors;
  for (const TensorInfo& tensor : file.tensors())
    if (tensor.shape.size() >= 2)
      add_quantised(file, tensor, tensors);
    else
      tensors.add<std::byte>(tensor.name, tensor.dtype, tensor.shape, file.bytes(tensor));
  std::map<std::string, std::string> metadata = file.metadata();
  metadata[key] = rows;
  return tensors.file(metadata);
}

SafetensorsFile in_full(SafetensorsFile file) {
  if (!is_quantised(file)) return file;
  Tensors tensors;
  for (const TensorInfo& tensor : file.tensors()) {
    const std::string& name = tensor.name;
    if (tensor.dtype == Dtype::i8)
      add_in_full(file, tensor, tensors);
    else if (!name.ends_with(scale_suffix) ||
             file.find(std::string_view(name).substr(0, name.size() - scale_suffix.size())) == nullptr)
      tensors.add<std::byte>(name, tensor.dtype, tensor.shape, file.bytes(tensor));
  }
  std::map<std::string, std::string> metadata = file.metadata();
  metadata.erase(key);
  return SafetensorsFile(tensors.file(metadata), file.name());
}

}  // namespace page
