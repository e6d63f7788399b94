// Models as safetensors files that PyTorch can read, too.
//
// Every parameter is one tensor, named and shaped as in torch.nn.Sequential: "0.weight" is [out, in]. Matrices lie
// column-major in a model's flat parameter buffer and row-major in the file, so both directions transpose.
// The metadata says what the file is: "format" = "eigan", "eigan_version", "architecture".
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <eigan/core/checked.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/parameter.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/core/view.hpp>
#include <eigan/io/safetensors.hpp>
#include <eigan/io/write_safetensors.hpp>
#include <eigan/version.hpp>

namespace eigan {

/// What save() and load() need of a model: `params()` is its flat parameter buffer, `parameters()` tells what lies
/// where in it, and `architecture()` is a text that is equal exactly for models that can exchange parameters.
template <class M>
concept SavableModel = requires(const M& model) {
  std::span(model.params());
  { model.parameters() } -> std::convertible_to<std::vector<Parameter>>;
  { model.architecture() } -> std::convertible_to<std::string>;
};

namespace detail {

template <class T>
using RowMajorMatrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The parameter's shape in a file. std::invalid_argument if it does not lie inside a buffer of `buffer_size`.
inline std::vector<std::uint64_t> file_shape(const Parameter& p, std::size_t buffer_size) {
  Index size = 0, end = 0;
  const bool valid = (p.rank == 2 || (p.rank == 1 && p.cols == 1)) && p.rows >= 0 && p.cols >= 0 && p.offset >= 0 &&
                     checked_mul(p.rows, p.cols, size) && checked_add(p.offset, size, end) &&
                     end <= static_cast<Index>(buffer_size);
  if (!valid) {
    fail_contract("parameter '", printable(p.name), "': expected a vector or matrix inside ", buffer_size,
                  " elements, found rank ", p.rank, ", ", p.rows, " x ", p.cols, " at ", p.offset);
  }
  std::vector<std::uint64_t> shape{static_cast<std::uint64_t>(p.rows)};
  if (p.rank == 2) shape.push_back(static_cast<std::uint64_t>(p.cols));
  return shape;
}

/// The tensors of the parameters, in their order. Error if the file lacks one, has one too many, or has one of another
/// shape or of a dtype other than F32 and F64.
inline std::vector<const TensorInfo*> find_tensors(const SafetensorsFile& file,
                                                   const std::vector<Parameter>& parameters, std::size_t buffer_size) {
  std::vector<const TensorInfo*> tensors;
  for (const Parameter& p : parameters) {
    const auto shape = file_shape(p, buffer_size);
    const auto fail = [&](const auto&... found) {
      fail_data(file.name(), ": tensor '", printable(p.name), "': expected ", found...);
    };
    const TensorInfo* const tensor = tensors.emplace_back(file.find(p.name));
    if (tensor == nullptr) fail(shape_text(shape), ", found no tensor of that name");
    if (tensor->shape != shape) fail(shape_text(shape), ", found ", shape_text(tensor->shape));
    if (tensor->dtype != Dtype::f32 && tensor->dtype != Dtype::f64) {
      fail("dtype F32 or F64, found ", dtype_name(tensor->dtype));
    }
  }
  for (const TensorInfo& tensor : file.tensors()) {
    const auto matches = [&](const Parameter& p) { return p.name == tensor.name; };
    if (std::none_of(parameters.begin(), parameters.end(), matches)) {
      fail_data(file.name(), ": tensor '", printable(tensor.name), "': expected only the model's ", parameters.size(),
                " tensors, found one that it does not have");
    }
  }
  return tensors;
}

}  // namespace detail

/// Writes a flat parameter buffer atomically: F32 for float, F64 for double. `extra_metadata` joins what the file says
/// of itself; it cannot replace it. Error if the file cannot be written.
template <class T>
void save_parameters(const std::filesystem::path& path, std::span<const T> params,
                     const std::vector<Parameter>& parameters, const std::string& architecture,
                     const std::map<std::string, std::string>& extra_metadata = {}) {
  std::map<std::string, std::string> metadata{
      {"format", "eigan"}, {"eigan_version", version}, {"architecture", architecture}};
  metadata.insert(extra_metadata.begin(), extra_metadata.end());

  std::vector<detail::RowMajorMatrix<T>> matrices;
  std::vector<TensorView> tensors;
  matrices.reserve(parameters.size());
  for (const Parameter& p : parameters) {
    auto shape = detail::file_shape(p, params.size());
    const auto& matrix = matrices.emplace_back(ConstView<T>(params.data() + p.offset, p.rows, p.cols));
    const std::span values(matrix.data(), static_cast<std::size_t>(matrix.size()));
    tensors.push_back({p.name, dtype_of<T>, std::move(shape), std::as_bytes(values)});
  }
  write_safetensors(path, std::move(tensors), metadata);
}

/// Takes a flat parameter buffer out of a file that save_parameters or PyTorch wrote, converting between float and
/// double. Error, with `params` untouched, if the file states another architecture, lacks a tensor, has one too many,
/// or has one of another shape or of a dtype other than F32 and F64.
template <class T>
void load_parameters(const SafetensorsFile& file, std::span<T> params, const std::vector<Parameter>& parameters,
                     const std::string& architecture) {
  if (const auto stated = file.metadata().find("architecture");
      stated != file.metadata().end() && stated->second != architecture) {
    detail::fail_data(file.name(), ": expected a model of architecture '", printable(architecture), "', found '",
                      printable(stated->second), "'");
  }

  const std::vector<const TensorInfo*> tensors = detail::find_tensors(file, parameters, params.size());
  std::vector<detail::RowMajorMatrix<T>> matrices;  // all of them, before the first parameter changes
  matrices.reserve(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    auto& matrix = matrices.emplace_back(parameters[i].rows, parameters[i].cols);
    file.copy_to(*tensors[i], std::span(matrix.data(), static_cast<std::size_t>(matrix.size())));
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& p = parameters[i];
    View<T>(params.data() + p.offset, p.rows, p.cols) = matrices[i];
  }
}

/// The same from a path. Error, with `params` untouched, also if the file cannot be read.
template <class T>
void load_parameters(const std::filesystem::path& path, std::span<T> params, const std::vector<Parameter>& parameters,
                     const std::string& architecture) {
  load_parameters(SafetensorsFile::read(path), params, parameters, architecture);
}

/// Saves a model; see save_parameters.
template <SavableModel M>
void save(const std::filesystem::path& path, const M& model,
          const std::map<std::string, std::string>& extra_metadata = {}) {
  const std::span params = model.params();
  save_parameters<std::remove_const_t<typename decltype(params)::element_type>>(path, params, model.parameters(),
                                                                                model.architecture(), extra_metadata);
}

/// Loads a model that was constructed with the same architecture; see load_parameters.
template <SavableModel M>
void load(const SafetensorsFile& file, M& model) {
  load_parameters(file, std::span(model.params()), model.parameters(), model.architecture());
}
template <SavableModel M>
void load(const std::filesystem::path& path, M& model) {
  load(SafetensorsFile::read(path), model);
}

}  // namespace eigan
