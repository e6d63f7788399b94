// Checkpoints: everything that a training must find again to go on bit for bit, in one safetensors file.
//
//   const auto state = [&](auto visit) { visit("model", model), visit("adam", adam), visit("step", step); };
//   eigan::save_checkpoint("run.safetensors", state);
//   eigan::load_checkpoint("run.safetensors", state);
//
// A state names its parts. A part is a model, whose parameters and state get PyTorch's names and shapes
// ("model.0.weight"); a number or a contiguous range of numbers, which becomes a tensor; or an object with a member
// `visit_state(visit)` that names parts of its own ("adam.exp_avg"), as optimisers and averages have it. An integer may
// state its limits, `visit("step", step, 0, most)`, in which alone a file is believed. The random numbers of eigan are
// functions of a seed and the step, so there is no other state. Parts are read and filled when all have been named.
// Metadata "checksum" covers all but the file's framing.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/io/checkpoint_state.hpp>
#include <eigan/io/checksum.hpp>
#include <eigan/io/model_tensors.hpp>
#include <eigan/io/safetensors.hpp>
#include <eigan/io/write_safetensors.hpp>
#include <eigan/version.hpp>

namespace eigan {

namespace detail {

/// `tensors` in the order of their names.
template <class Tensors>
std::string checksum_of(const Tensors& tensors, const std::map<std::string, std::string>& metadata) {
  Checksum sum;
  for (const auto& [key, value] : metadata)
    if (key != "checksum") sum.add(key), sum.add(value);
  for (const auto& [name, bytes] : tensors) sum.add(name), sum.add(bytes);
  return sum.text();
}

/// The tensors of a state that is to be saved.
class CollectState {
 public:
  template <class M>
  void model(const std::string& name, const M& model) {
    for (const auto& tensor : tensors_of(model)) {
      auto shape = file_shape(tensor.place, tensor.buffer.size());
      const auto& stored = storage_.emplace_back(file_bytes(tensor));
      tensors_.push_back(
          {name + '.' + tensor.place.name, file_dtype<ModelScalar<const M>>(tensor.place), std::move(shape), stored});
    }
    metadata_[name + ".architecture"] = model.architecture();
  }

  template <class Part>
  void numbers(const std::string& name, const Part& part) {
    using X = NumberOf<const Part>;
    static_assert(Number<X>, "a part of a state is a model, numbers, or an object with visit_state()");
    const auto values = as_numbers(part);
    std::vector<std::uint64_t> shape;
    if constexpr (!Number<Part>) shape.push_back(values.size());
    tensors_.push_back({name, number_dtype<X>(), std::move(shape), std::as_bytes(values)});
  }

  void write(const std::filesystem::path& path, const std::map<std::string, std::string>& extra,
             const std::filesystem::path& keep) {
    metadata_.insert({{"format", "eigan"}, {"eigan_version", version}, {"content", "checkpoint"}});
    metadata_.insert(extra.begin(), extra.end());
    std::map<std::string_view, std::span<const std::byte>> by_name;
    for (const TensorView& tensor : tensors_) by_name.emplace(tensor.name, tensor.data);
    metadata_["checksum"] = checksum_of(by_name, metadata_);
    write_safetensors(path, std::move(tensors_), metadata_, keep);
  }

 private:
  std::vector<TensorView> tensors_;
  std::vector<std::vector<std::byte>> storage_;  // moving a vector leaves its elements where they are
  std::map<std::string, std::string> metadata_;
};

/// Checks each part of a state against a file, and only then fills them all, which cannot fail.
class RestoreState {
 public:
  explicit RestoreState(const SafetensorsFile& file) : file_(file) {}

  template <class M>
  void model(const std::string& name, M& model) {
    const auto stated = file_.metadata().find(name + ".architecture");
    if (stated != file_.metadata().end() && !same_architecture(stated->second, model.architecture()))
      fail_data(file_.name(), ": expected '", printable(name), "' of architecture '", printable(model.architecture()),
                "', found '", printable(stated->second), "'", written_by());
    using T = ModelScalar<M>;
    for (const auto& tensor : tensors_of(model)) {
      const Parameter& p = tensor.place;
      const std::string full = name + '.' + p.name;
      const auto shape = file_shape(p, tensor.buffer.size());
      std::vector<T> values(static_cast<std::size_t>(p.size()), T(1));
      if (p.integer && file_.find(full) == nullptr)
        lacks_counts_ = true;
      else
        values = file_values<T>(file_, expect(full, file_dtype<T>(p), shape), p);
      copies_.push_back(
          [to = tensor.data(), values = std::move(values)] { std::copy(values.begin(), values.end(), to); });
    }
  }

  template <class Part>
  void numbers(const std::string& name, Part& part) {
    using X = NumberOf<Part>;
    static_assert(Number<X>, "a part of a state is a model, numbers, or an object with visit_state()");
    if constexpr (requires { part.resize(std::size_t{}); }) {
      const TensorInfo& tensor = expect(name, number_dtype<X>());
      if constexpr (std::same_as<X, bool>) check_booleans(tensor);
      const std::size_t count = (tensor.end - tensor.begin) / sizeof(X);
      part.reserve(count);
      copies_.push_back([&part, from = file_.bytes(tensor), count] {
        part.resize(count);
        if (count > 0) std::memcpy(part.data(), from.data(), from.size());
      });
    } else {
      const auto values = as_numbers(part);
      std::vector<std::uint64_t> shape;
      if constexpr (!Number<std::remove_const_t<Part>>) shape.push_back(values.size());
      const TensorInfo& tensor = expect(name, number_dtype<X>(), std::move(shape));
      if constexpr (std::same_as<X, bool>) check_booleans(tensor);
      copies_.push_back([to = values.data(), from = file_.bytes(tensor)] {
        if (!from.empty()) std::memcpy(to, from.data(), from.size());
      });
    }
  }

  /// Error if the file's number is not from `least` to `most`.
  template <class X>
  void check(const std::string& name, const X&, X least, X most) const {
    X number{};
    std::memcpy(&number, file_.bytes(*file_.find(name)).data(), sizeof number);
    if (number < least || number > most) fail(name, concat(+least, " to ", +most), concat(+number));
  }

  /// Error if the file holds more than the state.
  void finish() {
    for (const TensorInfo& tensor : file_.tensors()) {
      if (!expected_.contains(tensor.name))
        fail_data(file_.name(), ": tensor '", printable(tensor.name), "': expected only the state's ", expected_.size(),
                  " tensors, found one that it does not have", written_by());
    }
    for (const auto& copy : copies_) copy();
  }

 private:
  /// The tensor, after a look at its dtype and shape.
  const TensorInfo& expect(const std::string& name, Dtype dtype, const std::vector<std::uint64_t>& shape) {
    const TensorInfo& tensor = find(name, dtype);
    if (tensor.shape != shape) fail(name, shape_text(shape), shape_text(tensor.shape));
    return tensor;
  }
  /// A vector of any length, after a look at its dtype.
  const TensorInfo& expect(const std::string& name, Dtype dtype) {
    const TensorInfo& tensor = find(name, dtype);
    if (tensor.shape.size() != 1) fail(name, "a vector", shape_text(tensor.shape));
    return tensor;
  }
  const TensorInfo& find(const std::string& name, Dtype dtype) {
    const TensorInfo* const tensor = file_.find(name);
    if (tensor == nullptr) fail(name, dtype_name(dtype), "no tensor of that name");
    if (tensor->dtype != dtype) fail(name, dtype_name(dtype), tensor->type());
    expected_.insert(name);
    return *tensor;
  }
  /// Any other byte as a bool would be neither true nor false.
  void check_booleans(const TensorInfo& tensor) const {
    for (const std::byte b : file_.bytes(tensor))
      if (b > std::byte{1}) fail(tensor.name, "bytes 0 and 1", concat(static_cast<int>(b)));
  }
  [[noreturn]] void fail(const std::string& name, std::string_view expected, std::string_view found) const {
    fail_data(file_.name(), ": tensor '", printable(name), "': expected ", expected, ", found ", found, written_by());
  }
  /// What another version kept in other ways, if that may be why the file does not fit.
  std::string written_by() const {
    const auto by = file_.metadata().find("eigan_version");
    if (by == file_.metadata().end() || (by->second == version && !lacks_counts_)) return "";
    return concat(" (written by eigan ", printable(by->second, 32),
                  lacks_counts_ ? ", when running statistics were still parameters" : ", this is ",
                  lacks_counts_ ? "" : version, ")");
  }

  const SafetensorsFile& file_;
  std::set<std::string> expected_;
  bool lacks_counts_ = false;  // of batches, as files of revision 6189ee1 do
  std::vector<std::function<void()>> copies_;
};

}  // namespace detail

/// Writes a state atomically. What was at `path` is kept under the name `keep`, in the same folder, unless that is
/// empty. `extra_metadata` joins what the file says of itself. Error, with the old files as they were, if the file
/// cannot be written; std::invalid_argument if two parts have one name.
template <class State>
void save_checkpoint(const std::filesystem::path& path, State&& state,
                     const std::map<std::string, std::string>& extra_metadata = {},
                     const std::filesystem::path& keep = {}) {
  detail::CollectState collected;
  detail::visit_state(state, collected);
  collected.write(path, extra_metadata, keep);
}

/// A checkpoint whose checksum is right, so that its metadata can be looked at first. Error if it cannot be read, is no
/// checkpoint, or does not hold what was written.
inline SafetensorsFile read_checkpoint(const std::filesystem::path& path) {
  auto file = SafetensorsFile::read(path);
  const auto stated = file.metadata().find("checksum");
  if (stated == file.metadata().end())
    detail::fail_data(file.name(), ": expected a checkpoint with a 'checksum' in its metadata, found none");
  std::map<std::string_view, std::span<const std::byte>> tensors;
  for (const TensorInfo& tensor : file.tensors()) tensors.emplace(tensor.name, file.bytes(tensor));
  if (const std::string sum = detail::checksum_of(tensors, file.metadata()); sum != stated->second) {
    detail::fail_data(file.name(), ": expected contents of checksum ", printable(stated->second), ", found ", sum,
                      " (the file is damaged)");
  }
  return file;
}

/// Fills a state that has the same parts. Error, with nothing of it changed, if the file lacks one, has one too many,
/// or has one of another architecture, shape or dtype.
template <class State>
void load_checkpoint(const SafetensorsFile& file, State&& state) {
  detail::RestoreState restored(file);
  detail::visit_state(state, restored);
  restored.finish();
}
template <class State>
void load_checkpoint(const std::filesystem::path& path, State&& state) {
  load_checkpoint(read_checkpoint(path), state);
}

}  // namespace eigan
