// Models as safetensors files that PyTorch can read, too.
//
// Every tensor is named, shaped and laid out as in torch.nn.Sequential: "0.weight" is [out, in], row by row, a
// convolution's [out, in, kh, kw]; parameters and state stand side by side, counts as int64.
// The metadata says what the file is: "format" = "eigan", "eigan_version", "architecture".
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/parameter.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/io/model_tensors.hpp>
#include <eigan/io/safetensors.hpp>
#include <eigan/io/sharded_model.hpp>
#include <eigan/io/write_safetensors.hpp>
#include <eigan/version.hpp>

namespace eigan {

/// What a file's tensor is called in the model; empty for one that the model is not to have.
using TensorNames = std::function<std::string(const std::string& in_file)>;

/// For a model that is a part of what the file holds: "model.encoder.0.weight" is the encoder's "0.weight", and what
/// does not begin with `prefix` is passed over.
inline TensorNames strip_prefix(std::string prefix) {
  return [prefix = std::move(prefix)](const std::string& name) {
    return name.starts_with(prefix) ? name.substr(prefix.size()) : std::string();
  };
}

namespace detail {

/// A tensor and the file that holds it.
struct FoundTensor {
  const SafetensorsFile* file = nullptr;
  const TensorInfo* tensor = nullptr;
};

/// The tensors of one file, or of the parts of one, by the names that the model has for them. Error if two have one.
inline std::map<std::string, FoundTensor> name_tensors(std::span<const SafetensorsFile> files,
                                                       const TensorNames& names) {
  std::map<std::string, FoundTensor> named;
  for (const SafetensorsFile& file : files)
    for (const TensorInfo& tensor : file.tensors()) {
      std::string name = names ? names(tensor.name) : tensor.name;
      if (names && name.empty()) continue;
      const auto [place, added] = named.try_emplace(std::move(name), FoundTensor{&file, &tensor});
      if (!added)
        fail_data(file.name(), ": tensor '", printable(tensor.name), "': expected a name of its own, '",
                  printable(place->first), "' is that of '", printable(place->second.tensor->name), "'");
    }
  return named;
}

/// The tensors that a model has, in its order; none for a count that the file lacks, as those of revision 6189ee1 do.
/// Error if the file lacks another, has one too many, or has one of another shape.
inline std::vector<FoundTensor> find_tensors(const std::string& file, std::map<std::string, FoundTensor> named,
                                             const std::vector<Parameter>& tensors) {
  std::vector<FoundTensor> found;
  for (const Parameter& p : tensors) {
    const auto shape = file_shape(p, static_cast<std::size_t>(p.offset + p.size()));
    const auto fail = [&](const auto&... what) {
      fail_data(file, ": tensor '", printable(p.name), "': expected ", shape_text(shape), ", found ", what...);
    };
    const auto place = named.find(p.name);
    if (place == named.end()) {
      if (!p.integer) fail("no tensor of that name");
      found.emplace_back();
      continue;
    }
    if (place->second.tensor->shape != shape) fail(shape_text(place->second.tensor->shape));
    found.push_back(place->second);
    named.erase(place);
  }
  if (!named.empty())
    fail_data(file, ": tensor '", printable(named.begin()->first), "': expected only the model's ", tensors.size(),
              " tensors, found one that it does not have");
  return found;
}

/// What load() does, for one file or the parts of one; `file` is what messages call it.
template <SavableModel M>
void load(const std::string& file, std::span<const SafetensorsFile> parts, M& model, const TensorNames& names) {
  using T = ModelScalar<M>;
  const std::string architecture = model.architecture();
  for (const SafetensorsFile& part : parts)
    if (const auto stated = part.metadata().find("architecture");
        !names && stated != part.metadata().end() && !same_architecture(stated->second, architecture))
      fail_data(file, ": expected a model of architecture '", printable(architecture), "', found '",
                printable(stated->second), "'");

  const auto tensors = tensors_of(model);
  std::vector<Parameter> places;
  for (const auto& tensor : tensors) {
    file_shape(tensor.place, tensor.buffer.size());
    places.push_back(tensor.place);
  }
  const std::vector<FoundTensor> found = find_tensors(file, name_tensors(parts, names), places);
  std::vector<std::vector<T>> values;  // all of them, before the first number changes
  for (std::size_t i = 0; i < found.size(); ++i)
    values.push_back(found[i].tensor == nullptr ? std::vector<T>(static_cast<std::size_t>(places[i].size()), T(1))
                                                : file_values<T>(*found[i].file, *found[i].tensor, places[i]));
  for (std::size_t i = 0; i < found.size(); ++i) std::copy(values[i].begin(), values[i].end(), tensors[i].data());
}

/// Calls write(tensors, metadata) with what a file of the model holds.
template <SavableModel M, class Write>
auto as_safetensors(const M& model, const std::map<std::string, std::string>& extra_metadata, const Write& write) {
  std::map<std::string, std::string> metadata{
      {"format", "eigan"}, {"eigan_version", version}, {"architecture", model.architecture()}};
  metadata.insert(extra_metadata.begin(), extra_metadata.end());

  std::vector<std::vector<std::byte>> bytes;
  std::vector<TensorView> views;
  for (const auto& tensor : tensors_of(model)) {
    auto shape = file_shape(tensor.place, tensor.buffer.size());
    bytes.push_back(file_bytes(tensor));
    views.push_back(
        {tensor.place.name, file_dtype<ModelScalar<const M>>(tensor.place), std::move(shape), bytes.back()});
  }
  return write(std::move(views), metadata);
}

}  // namespace detail

/// The bytes of a model's file: F32 for float, F64 for double, counts as I64. `extra_metadata` joins what the file says
/// of itself; it cannot replace it.
template <SavableModel M>
std::vector<std::byte> model_bytes(const M& model, const std::map<std::string, std::string>& extra_metadata = {}) {
  return detail::as_safetensors(model, extra_metadata, safetensors_bytes);
}

#if defined(EIGAN_HAS_FILES)
/// Writes these bytes atomically. Error if the file cannot be written.
template <SavableModel M>
void save(const std::filesystem::path& path, const M& model,
          const std::map<std::string, std::string>& extra_metadata = {}) {
  detail::as_safetensors(model, extra_metadata, [&](std::vector<TensorView> tensors, const auto& metadata) {
    write_safetensors(path, std::move(tensors), metadata);
  });
}
#endif

/// Loads a model that was constructed with the same architecture, from a file of eigan or PyTorch: F64, F32, F16 and
/// BF16 become the model's numbers. Samples may have another height and width than in the file. Error, with the model
/// as it was, if the file states another architecture, lacks a tensor, has one too many, or has one of another shape or
/// dtype. With `names` the file may hold more and be of any model:
///
///   load("vae.safetensors", decoder, strip_prefix("decoder."));
template <SavableModel M>
void load(const SafetensorsFile& file, M& model, const TensorNames& names = {}) {
  detail::load(file.name(), std::span(&file, 1), model, names);
}
#if defined(EIGAN_HAS_FILES)
/// Loads a model from the file at a path, or from the files that an index at that path names. Error also if one cannot
/// be read.
template <SavableModel M>
void load(const std::filesystem::path& path, M& model, const TensorNames& names = {}) {
  detail::load(detail::display(path), read_model_files(path), model, names);
}
#endif

}  // namespace eigan
