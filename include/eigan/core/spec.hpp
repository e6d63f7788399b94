// Spec: a layer's own description, from which all others follow: the text of an architecture, C++ source, the way back
// from text (net/runtime/layer_registry.hpp) and the operators of ONNX.
//
//   Spec{"Swish", {{"beta", beta_}}, "::mine::Swish", "mine/swish.hpp"}
//     text      Swish(beta=1.5)
//     C++       ::mine::Swish(1.5), the settings in the order of the constructor's arguments
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/exact_text.hpp>
#include <eigan/core/types.hpp>

namespace eigan {

/// One setting of a layer: its name and value.
struct Setting {
  /// A number that need not be whole.
  Setting(std::string setting, double number) : name(std::move(setting)), value(number) {}
  /// A size, or yes and no as 1 and 0.
  template <std::integral I>
  Setting(std::string setting, I size) : name(std::move(setting)), value(static_cast<double>(size)), whole(true) {}

  std::string name;    ///< PyTorch's, where there is one
  double value;        ///< sizes are exact up to 2^53
  bool whole = false;  ///< whether it is a size

  /// With every digit.
  std::string text() const { return whole ? detail::concat(static_cast<long long>(value)) : exact_text(value); }
  bool operator==(const Setting&) const = default;  ///< equal in name and value
};

/// A layer, or a composition of others, as a value that can be written down.
struct Spec {
  std::string name;                    ///< "Linear"
  std::vector<Setting> settings = {};  ///< in the order of the constructor's arguments
  std::string type = {};               ///< in C++: "::eigan::Linear<784, 128>"; empty for one that cannot be written so
  std::string header = {};             ///< that the type needs; empty for one of eigan's
  std::vector<Spec> children = {};     ///< of a composition

  /// `Linear(in_features=784, out_features=128)`, compositions with what they hold.
  std::string text() const {
    std::string list;
    for (const Setting& setting : settings) list += (list.empty() ? "" : ", ") + setting.name + '=' + setting.text();
    for (const Spec& child : children) list += (list.empty() ? "" : ", ") + child.text();
    return name + '(' + list + ')';
  }
  /// The setting of that name; std::invalid_argument if there is none.
  double operator[](std::string_view setting) const {
    for (const Setting& s : settings)
      if (s.name == setting) return s.value;
    detail::fail_contract("eigan::Spec: ", name, " has no setting '", setting, "'");
  }
  /// A size among the settings.
  Index size(std::string_view setting) const { return static_cast<Index>((*this)[setting]); }
  bool operator==(const Spec&) const = default;  ///< equal in all
};

namespace detail {
/// A size that a layer's type states, for messages: "784", or "dynamic".
inline std::string stated_text(Index size) {
  return size == dynamic ? "dynamic" : concat(size);
}
}  // namespace detail

}  // namespace eigan
