// parse_layers: the text of a network taken apart: "Linear(in_features=2, out_features=1), Residual(Sigmoid())" is two
// layers with a name each, settings or layers inside. It is what architecture() prints, may come from a file, and is
// not trusted.
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
  /// A count, 0 to 2^31, or what it is where the text says nothing.
  Index count(std::string_view key, Index otherwise) const {
    const std::string* const text = find(key) == nullptr ? nullptr : take(key);
    return text == nullptr ? otherwise : *text == "0" ? 0 : size(key);
  }
  /// A count that must be there.
  Index count(std::string_view key) const {
    if (!has(key)) fail("expected the setting '", key, "', found none");
    return count(key, 0);
  }
  /// Yes or no, as 1 or 0, or what it is where the text says nothing.
  bool flag(std::string_view key, bool otherwise) const {
    const Index value = count(key, otherwise ? 1 : 0);
    if (value > 1) fail("'", key, "': expected 0 or 1, found '", value, "'");
    return value == 1;
  }
  /// Whether the text has the setting.
  bool has(std::string_view key) const { return find(key) != nullptr; }
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

  /// The layers inside, of a composition.
  const std::vector<LayerText>& children() const {
    children_taken_ = true;
    return children_;
  }
  /// Adds a layer inside.
  void add(LayerText child) { children_.push_back(std::move(child)); }
  /// Adds a setting. An Error if there is one of that name.
  void add(std::string_view key, std::string_view value) {
    if (find(key) != nullptr) fail("expected '", printable(key), "' once, found it twice");
    settings_.push_back({std::string(key), std::string(value)});
  }
  /// An Error if there is a setting that nobody has asked for, or a layer inside.
  void check_all_taken() const {
    if (!children_.empty() && !children_taken_) fail("expected no layers inside, found ", children_.size());
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
  std::vector<LayerText> children_;
  mutable bool children_taken_ = false;
};

namespace detail {

/// Reads a text layer by layer; `at_` is the next character.
class LayerTextParser {
 public:
  LayerTextParser(std::string_view text, std::string_view place) : text_(text), place_(place) {}

  std::vector<LayerText> all() {
    std::vector<LayerText> layers;
    do layers.push_back(layer(concat(place_, ": layer ", layers.size()), name(), 0));
    while (accept(','));
    skip_spaces();
    if (at_ != text_.size()) fail("',' or the end");
    return layers;
  }

 private:
  static constexpr std::size_t most_layers = 10000, most_settings = 16;
  static constexpr int most_depth = 64;

  std::string_view name() { return until("a layer's name"); }
  /// What stands behind its name.
  LayerText layer(const std::string& place, std::string_view name, int depth) {
    LayerText layer(place, name);
    if (!accept('(')) fail("'('");
    if (++layers_ > most_layers) fail("at most 10000 layers");
    if (depth == most_depth) fail("at most 64 layers inside each other");
    std::size_t settings = 0, children = 0;
    while (!accept(')')) {
      if (settings + children > 0 && !accept(',')) fail("',' or ')'");
      const std::string_view word = until("a setting");
      skip_spaces();
      if (at_ < text_.size() && text_[at_] == '(') {
        layer.add(this->layer(concat(place, '.', children++), word, depth + 1));
        continue;
      }
      if (!accept('=')) fail("'='");
      if (++settings > most_settings) fail("at most 16 settings");
      layer.add(word, until("a value"));
    }
    return layer;
  }

  [[noreturn]] void fail(std::string_view expected) const {
    fail_data(place_, ": expected ", expected, " at character ", at_, ", found '", printable(text_.substr(at_, 40)),
              "'");
  }
  void skip_spaces() { at_ = std::min(text_.find_first_not_of(' ', at_), text_.size()); }
  bool accept(char c) {
    skip_spaces();
    const bool there = at_ < text_.size() && text_[at_] == c;
    at_ += there ? 1 : 0;
    return there;
  }
  /// The characters up to the next one of "(),= ", one at least.
  std::string_view until(std::string_view expected) {
    skip_spaces();
    const std::size_t end = std::min(text_.find_first_of("(),= ", at_), text_.size());
    if (end == at_) fail(expected);
    const std::string_view word = text_.substr(at_, end - at_);
    at_ = end;
    return word;
  }

  std::string_view text_, place_;
  std::size_t at_ = 0, layers_ = 0;
};

}  // namespace detail

/// Error, beginning with `place`, unless the whole text is one or more `Name(key=value, Name(...), ...)` with commas
/// between; at most 10000 layers, 64 deep, of at most 16 settings, so that a text cannot ask for more than it is worth.
inline std::vector<LayerText> parse_layers(std::string_view text, std::string_view place) {
  return detail::LayerTextParser(text, place).all();
}

}  // namespace eigan
