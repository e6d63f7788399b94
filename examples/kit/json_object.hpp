// JsonObject: a JSON object in the making, one member a line. Keys are words of ours.
#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigan/core/printable.hpp>

#include "text.hpp"

namespace kit {

class JsonObject {
 public:
  JsonObject& add(std::string_view key, std::string_view value) {
    std::string text;
    // Without control characters and invalid UTF-8, as a path may have them, two characters are left to escape.
    for (const char c : eigan::printable(value, 4096)) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    return add_text(key, concat('"', text, '"'));
  }
  JsonObject& add(std::string_view key, const char* value) { return add(key, std::string_view(value)); }
  JsonObject& add(std::string_view key, bool value) { return add_text(key, value ? "true" : "false"); }
  JsonObject& add(std::string_view key, double value) {
    return add_text(key, std::isfinite(value) ? shortest(value) : "null");
  }
  template <std::integral Number>
  JsonObject& add(std::string_view key, Number value) {
    return add_text(key, std::to_string(value));
  }
  template <std::integral Number>
  JsonObject& add(std::string_view key, const std::vector<Number>& values) {
    return add_text(key, concat('[', joined(values, ','), ']'));
  }
  template <std::size_t count>
  JsonObject& add(std::string_view key, const std::array<double, count>& values) {
    std::string text;
    for (const double value : values) text += concat(text.empty() ? "" : ",", shortest(value));
    return add_text(key, concat('[', text, ']'));
  }
  JsonObject& add(std::string_view key, const std::vector<JsonObject>& objects) {
    std::string text;
    for (const JsonObject& object : objects) text += concat(text.empty() ? "" : ",\n", object.block());
    return add_text(key, concat('[', text, ']'));
  }

  /// All members of another one, behind those that are there.
  JsonObject& add(const JsonObject& other) {
    members_.insert(members_.end(), other.members_.begin(), other.members_.end());
    return *this;
  }

  /// Each key, and its value in JSON's spelling.
  const std::vector<std::pair<std::string, std::string>>& members() const& { return members_; }
  std::string text() const { return concat(block(), '\n'); }

 private:
  JsonObject& add_text(std::string_view key, std::string_view value) {
    members_.emplace_back(key, value);
    return *this;
  }
  std::string block() const {
    std::string lines;
    for (const auto& [key, value] : members_) lines += concat(lines.empty() ? "" : ",\n", "  \"", key, "\": ", value);
    return concat("{\n", lines, "\n}");
  }

  std::vector<std::pair<std::string, std::string>> members_;
};

}  // namespace kit
