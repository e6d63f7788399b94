// State: what a training must find again to go on, as a value: the parts that a program names once, in the manner of
// io/checkpoint.hpp, behind the three things that are done with them.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <eigan/core/parallel.hpp>
#include <eigan/io/checkpoint.hpp>
#include <eigan/io/safetensors.hpp>
#include <eigan/net/non_finite.hpp>

#include "text.hpp"

namespace kit {

using Metadata = std::map<std::string, std::string>;

/// Looks at parts of a state for what is infinite or NaN. A gradient that is shows in its optimiser's moments: one that
/// is infinite stops its parameter for good, and no loss shows it.
class NonFinite {
 public:
  explicit NonFinite(eigan::Threads threads) : threads_(threads) {}

  template <class M>
  void model(const std::string& name, const M& model) {
    if (const auto place = eigan::find_non_finite(model, threads_))
      models_ += concat(models_.empty() ? "" : ", ", name, ": ", *place);
  }
  template <class Part>
  void numbers(const std::string& name, const Part& part) {
    const auto values = eigan::detail::as_numbers(part);
    using Number = std::remove_const_t<typename decltype(values)::element_type>;
    if constexpr (std::is_floating_point_v<Number>) {
      if (!others_.empty() || eigan::all_finite(std::span<const Number>(values), threads_)) return;
      const std::size_t owner = name.rfind('.');
      others_ = owner == std::string::npos
                    ? concat(name, " is not finite")
                    : concat(name.substr(0, owner), ": ", name.substr(owner + 1), " is not finite");
    }
  }
  /// "generator: 3.weight[17, 4] is nan", or where no parameter says more "generator.adam: exp_avg is not finite".
  std::optional<std::string> found() const {
    if (models_.empty() && others_.empty()) return std::nullopt;
    return models_.empty() ? others_ : models_;
  }

 private:
  eigan::Threads threads_;
  std::string models_, others_;
};

struct State {
  std::function<void(const std::filesystem::path&, const Metadata&, const std::filesystem::path& keep)> save;
  std::function<void(const eigan::SafetensorsFile&)> load;
  std::function<std::optional<std::string>(eigan::Threads)> non_finite;

  State() = default;
  /// parts: `[&](auto visit) { visit("model", model), visit("adam", adam); }`; what it names must outlive the state.
  /// around(parts) names what is saved beside them, and is not looked at for numbers that are none.
  template <class Parts, class Around>
  State(const Parts& parts, const Around& around)
      : save([parts, around](const auto& path, const auto& metadata, const auto& keep) {
          eigan::save_checkpoint(
              path, [&](auto visit) { around(parts, visit); }, metadata, keep);
        }),
        load([parts, around](const auto& file) {
          eigan::load_checkpoint(file, [&](auto visit) { around(parts, visit); });
        }),
        non_finite([parts](eigan::Threads threads) {
          NonFinite look(threads);
          eigan::detail::visit_state(parts, look);
          return look.found();
        }) {}
};

}  // namespace kit
