// parse_layers: the text of a network taken apart: "Linear(in_features=2, out_features=1), Sigmoid()" is two layers
// with a name and settings each. It is what architecture() prints, may come from a file, and is not trusted.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/exact_text.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/core/types.hpp>

namespace eigan {

/// A layer's name and settings. Asking for a setting that is not there, or not a number as expected, is an Error.
class LayerText {
 public:
  /// place: what an Error begins with.
  LayerText(std::string place, std::string_view name) : place_(std::move(place)), name_(name) {}

  /// What an Error begins with.
  const std::string& place() const { return place_; }
  /// The layer's name, such as "Linear".
  const std::string& name() const { return name_; }

  /// A size: 1 to 2^31, or as far as Index goes.
  Index size(std::string_view key) const {
    const std::string* const text = take(key);
    if (text == nullptr) fail("expected the setting '", key, "', found none");
    constexpr auto most = std::min(std::uint64_t{1} << 31, std::uint64_t{std::numeric_limits<Index>::max()});
    std::uint64_t value = 0;
    const char* const end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, value);
    if (error != std::errc() || stop != end || value < 1 || value > most)
      fail("'", key, "': expected 1 to ", most, ", found '", printable(*text), "'");
    return static_cast<Index>(value);
  }
  /// A number, or what it is where the text says nothing.
  double number(std::string_view key, double otherwise) const {
    const std::string* const text = take(key);
    if (text != nullptr && !parse_number(*text, otherwise))
      fail("'", key, "': expected a number, found '", printable(*text), "'");
    return otherwise;
  }
  /// A number that must be there.
  double number(std::string_view key) const {
    if (find(key) == nullptr) fail("expected the setting '", key, "', found none");
    return number(key, 0);
  }

  /// Adds a setting. An Error if there is one of that name.
  void add(std::string_view key, std::string_view value) {
    if (find(key) != nullptr) fail("expected '", printable(key), "' once, found it twice");
    settings_.push_back({std::string(key), std::string(value)});
  }
  /// An Error if there is a setting that nobody has asked for.
  void check_all_taken() const {
    for (const Setting& setting : settings_)
      if (!setting.taken) fail("expected only settings that this layer has, found '", printable(setting.key), "'");
  }
  /// Throws an Error with the layer's place and name in front.
  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    detail::fail_data(place_, ", ", printable(name_, 64), ": ", parts...);
  }

 private:
  struct Setting {
    std::string key, value;
    mutable bool taken = false;
  };
  const Setting* find(std::string_view key) const {
    for (const Setting& setting : settings_)
      if (setting.key == key) return &setting;
    return nullptr;
  }
  const std::string* take(std::string_view key) const {
    const Setting* const setting = find(key);
    if (setting == nullptr) return nullptr;
    setting->taken = true;
    return &setting->value;
  }

  std::string place_, name_;
  std::vector<Setting> settings_;
};

/// Error, beginning with `place`, unless the whole text is one or more `Name(key=value, ...)` with commas between; at
/// most 10000 layers of at most 16 settings, so that nobody can ask for more than his text is worth.
inline std::vector<LayerText> parse_layers(std::string_view text, std::string_view place) {
  constexpr std::size_t most_layers = 10000, most_settings = 16;
  std::size_t at = 0;
  const auto fail = [&](std::string_view expected) {
    detail::fail_data(place, ": expected ", expected, " at character ", at, ", found '", printable(text.substr(at, 40)),
                      "'");
  };
  const auto skip_spaces = [&] { at = std::min(text.find_first_not_of(' ', at), text.size()); };
  const auto accept = [&](char c) {
    skip_spaces();
    const bool there = at < text.size() && text[at] == c;
    at += there ? 1 : 0;
    return there;
  };
  const auto until = [&](std::string_view stops, std::string_view expected) {
    skip_spaces();
    const std::size_t end = std::min(text.find_first_of(stops, at), text.size());
    if (end == at) fail(expected);
    const std::string_view word = text.substr(at, end - at);
    at = end;
    return word;
  };

  std::vector<LayerText> layers;
  do {
    const std::string_view name = until("(),= ", "a layer's name");
    LayerText layer(detail::concat(place, ": layer ", layers.size()), name);
    if (!accept('(')) fail("'('");
    std::size_t settings = 0;
    while (!accept(')')) {
      if (settings > 0 && !accept(',')) fail("',' or ')'");
      if (++settings > most_settings) fail("at most 16 settings");
      const std::string_view key = until("(),= ", "a setting");
      if (!accept('=')) fail("'='");
      layer.add(key, until("(),= ", "a value"));
    }
    if (layers.size() == most_layers) fail("at most 10000 layers");
    layers.push_back(std::move(layer));
  } while (accept(','));
  skip_spaces();
  if (at != text.size()) fail("',' or the end");
  return layers;
}

}  // namespace eigan
