// Checkpoints: everything that a training must find again to go on bit for bit, in one safetensors file.
//
//   const auto state = [&](auto visit) { visit("model", model), visit("adam", adam), visit("step", step); };
//   eigan::save_checkpoint("run.safetensors", state);
//   eigan::load_checkpoint("run.safetensors", state);
//
// A state names its parts. A part is a model, whose parameters get PyTorch's names and shapes ("model.0.weight"); a
// number or a contiguous range of numbers, which becomes a tensor; or an object with a member `visit_state(visit)` that
// names parts of its own ("adam.exp_avg"), as optimisers and averages have it. The random numbers of eigan are
// functions of a seed and the step, so there is no other state. Parts are read and filled when all have been named.
// Metadata "checksum" covers all but the file's framing.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <ranges>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/io/checksum.hpp>
#include <eigan/io/model_file.hpp>
#include <eigan/io/safetensors.hpp>
#include <eigan/io/write_safetensors.hpp>

namespace eigan {

namespace detail {

/// What is called with the parts of a state, one after the other: knows the whole names, and tells apart what a part
/// is.
template <class Action>
class StateVisitor {
 public:
  explicit StateVisitor(Action& action, std::string prefix = "") : action_(&action), prefix_(std::move(prefix)) {}

  template <class Part>
  void operator()(std::string_view name, Part&& part) const {
    static_assert(std::is_lvalue_reference_v<Part> || std::ranges::borrowed_range<Part>,
                  "a part of a state must outlive the call: a variable, or a span of one");
    const std::string full = prefix_ + std::string(name);
    if constexpr (SavableModel<std::remove_reference_t<Part>>) {
      action_->model(full, part);
    } else if constexpr (requires { part.visit_state(*this); }) {
      part.visit_state(StateVisitor(*action_, full + '.'));
    } else {
      action_->numbers(full, part);
    }
  }

 private:
  Action* action_;
  std::string prefix_;
};

template <class State, class Action>
void visit_state(State&& state, Action& action) {
  if constexpr (requires { state.visit_state(StateVisitor(action)); })
    state.visit_state(StateVisitor(action));
  else
    state(StateVisitor(action));
}

template <class X>
concept Number = std::is_arithmetic_v<X> && !std::same_as<X, long double>;

/// The dtype whose elements are numbers of this type.
template <Number X>
constexpr Dtype number_dtype() {
  if constexpr (std::same_as<X, bool>) {
    return Dtype::boolean;
  } else if constexpr (std::same_as<X, char>) {
    return Dtype::u8;
  } else if constexpr (std::floating_point<X>) {
    return sizeof(X) == 4 ? Dtype::f32 : Dtype::f64;
  } else {
    constexpr bool is_signed = std::is_signed_v<X>;
    switch (sizeof(X)) {
      case 1:
        return is_signed ? Dtype::i8 : Dtype::u8;
      case 2:
        return is_signed ? Dtype::i16 : Dtype::u16;
      case 4:
        return is_signed ? Dtype::i32 : Dtype::u32;
      default:
        return is_signed ? Dtype::i64 : Dtype::u64;
    }
  }
}

/// A number, or a range of them, as a span.
template <Number X>
std::span<X> as_numbers(X& number) {
  return {&number, 1};
}
template <std::ranges::contiguous_range Range>
auto as_numbers(Range&& range) {
  // Of a range alone libc++ 14 cannot make one.
  return std::span(std::ranges::data(range), static_cast<std::size_t>(std::ranges::size(range)));
}
template <class Part>
using NumberOf = std::remove_const_t<typename decltype(as_numbers(std::declval<Part&>()))::element_type>;

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
    const std::span params = model.params();
    using T = std::remove_const_t<typename decltype(params)::element_type>;
    for (const Parameter& p : model.parameters()) {
      auto shape = file_shape(p, params.size());
      const RowMajorMatrix<T> matrix = ConstView<T>(params.data() + p.offset, p.rows, p.cols);
      const auto bytes = std::as_bytes(std::span(matrix.data(), static_cast<std::size_t>(matrix.size())));
      const auto& stored = storage_.emplace_back(bytes.begin(), bytes.end());
      tensors_.push_back({name + '.' + p.name, dtype_of<T>, std::move(shape), stored});
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
    if (stated != file_.metadata().end() && stated->second != model.architecture()) {
      fail_data(file_.name(), ": expected '", printable(name), "' of architecture '", printable(model.architecture()),
                "', found '", printable(stated->second), "'");
    }
    const std::span params = model.params();
    using T = typename decltype(params)::element_type;
    for (const Parameter& p : model.parameters()) {
      const TensorInfo& tensor = expect(name + '.' + p.name, dtype_of<T>, file_shape(p, params.size()));
      copies_.push_back(
          [to = params.data() + p.offset, from = file_.bytes(tensor).data(), rows = p.rows, cols = p.cols] {
            for (Index i = 0, at = 0; i < rows; ++i)
              for (Index j = 0; j < cols; ++j, ++at)
                std::memcpy(to + j * rows + i, from + at * static_cast<Index>(sizeof(T)), sizeof(T));
          });
    }
  }

  template <class Part>
  void numbers(const std::string& name, Part& part) {
    using X = NumberOf<Part>;
    static_assert(Number<X>, "a part of a state is a model, numbers, or an object with visit_state()");
    if constexpr (requires { part.resize(std::size_t{}); }) {
      const TensorInfo& tensor = expect(name, number_dtype<X>());
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
      copies_.push_back([to = values.data(), from = file_.bytes(tensor)] {
        if (!from.empty()) std::memcpy(to, from.data(), from.size());
      });
    }
  }

  /// Error if the file holds more than the state.
  void finish() {
    for (const TensorInfo& tensor : file_.tensors()) {
      if (!expected_.contains(tensor.name))
        fail_data(file_.name(), ": tensor '", printable(tensor.name), "': expected only the state's ", expected_.size(),
                  " tensors, found one that it does not have");
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
  /// The same for a vector of any length.
  const TensorInfo& expect(const std::string& name, Dtype dtype) {
    const TensorInfo& tensor = find(name, dtype);
    if (tensor.shape.size() != 1) fail(name, "a vector", shape_text(tensor.shape));
    return tensor;
  }
  const TensorInfo& find(const std::string& name, Dtype dtype) {
    const TensorInfo* const tensor = file_.find(name);
    if (tensor == nullptr) fail(name, dtype_name(dtype), "no tensor of that name");
    if (tensor->dtype != dtype) fail(name, dtype_name(dtype), dtype_name(tensor->dtype));
    expected_.insert(name);
    return *tensor;
  }
  [[noreturn]] void fail(const std::string& name, std::string_view expected, std::string_view found) const {
    fail_data(file_.name(), ": tensor '", printable(name), "': expected ", expected, ", found ", found);
  }

  const SafetensorsFile& file_;
  std::set<std::string> expected_;
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

/// Reads a checkpoint and compares its checksum: whoever wants to look at the metadata first. Error if it cannot be
/// read, is no checkpoint, or does not hold what was written.
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
