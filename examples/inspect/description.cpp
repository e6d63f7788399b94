#include "description.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <vector>

#include <eigan/core/printable.hpp>

#include "kit/json_object.hpp"
#include "kit/text.hpp"
#include "statistics.hpp"

namespace inspect {

using namespace kit;

namespace {

constexpr std::size_t longest_text = 4096;  // of a name or a value that is shown

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  return shape.empty() ? "one value" : joined(shape, 'x');
}

std::uint64_t count(const eigan::TensorInfo& tensor) {
  return std::accumulate(tensor.shape.begin(), tensor.shape.end(), std::uint64_t{1}, std::multiplies{});
}

/// Columns as wide as their widest cell; the first to the left, the others to the right.
std::string table(const std::vector<std::vector<std::string>>& lines) {
  std::vector<std::size_t> width(lines.front().size());
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) width[i] = std::max(width[i], line[i].size());
  std::string text;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string blanks(width[i] - line[i].size(), ' ');
      text += i == 0 ? line[i] + blanks : "  " + blanks + line[i];
    }
    text += '\n';
  }
  return text;
}

}  // namespace

std::string for_people(const eigan::SafetensorsFile& file) {
  std::string text;
  for (const auto& [key, value] : file.metadata())
    text += concat(eigan::printable(key, longest_text), ": ", eigan::printable(value, longest_text), '\n');
  if (!file.metadata().empty()) text += '\n';

  std::vector<std::vector<std::string>> lines{
      {"tensor", "type", "shape", "least", "largest", "mean", "deviation", "not finite"}};
  std::uint64_t elements = 0;
  for (const eigan::TensorInfo& tensor : file.tensors()) {
    auto& line = lines.emplace_back(std::vector<std::string>{eigan::printable(tensor.name, longest_text),
                                                             std::string(tensor.type()), shape_text(tensor.shape)});
    elements += count(tensor);
    if (const auto s = statistics(file, tensor)) {
      for (const double value : {s->least, s->largest, s->mean, s->deviation}) line.push_back(six_digits(value));
      line.push_back(std::to_string(s->not_finite));
    } else {
      line.resize(lines.front().size(), "-");
    }
  }
  return text + table(lines) +
         concat('\n', file.tensors().size(), file.tensors().size() == 1 ? " tensor, " : " tensors, ",
                grouped(static_cast<std::int64_t>(elements)), elements == 1 ? " element\n" : " elements\n");
}

std::string for_machines(const eigan::SafetensorsFile& file) {
  std::vector<JsonObject> metadata;  // whose keys may be anything, so they are values here
  for (const auto& [key, value] : file.metadata()) metadata.push_back(JsonObject().add("key", key).add("value", value));
  std::vector<JsonObject> tensors;
  for (const eigan::TensorInfo& tensor : file.tensors()) {
    JsonObject& object = tensors.emplace_back();
    object.add("name", tensor.name).add("dtype", std::string(tensor.type())).add("shape", tensor.shape);
    if (const auto s = statistics(file, tensor)) {
      object.add("least", s->least).add("largest", s->largest).add("mean", s->mean).add("deviation", s->deviation);
      object.add("not_finite", s->not_finite);
    }
  }
  return JsonObject().add("metadata", metadata).add("tensors", tensors).text();
}

}  // namespace inspect
