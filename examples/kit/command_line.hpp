// The manners of the command line: how help looks, how a number is read and its range told.
#pragma once

#include <algorithm>
#include <charconv>
#include <CLI/CLI.hpp>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigan/core/exact_text.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/core/types.hpp>

#include "text.hpp"

namespace kit {

/// Examples first, then the options: `--epochs N    text [default]`.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter(std::string examples, std::size_t width) : examples_(std::move(examples)) { column_width(width); }

  std::string make_description(const CLI::App* app) const override {
    return concat(app->get_description(), "\n\nExamples:\n", examples_, '\n');
  }
  std::string make_usage(const CLI::App* app, std::string name) const override {
    return concat(Formatter::make_usage(app, std::move(name)), '\n');
  }
  std::string make_group(std::string group, bool positional, std::vector<const CLI::Option*> options) const override {
    return Formatter::make_group(std::move(group), positional, std::move(options))
        .substr(1);  // one blank line is enough
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_option_text().empty() ? "" : concat(' ', option->get_option_text());
  }
  std::string make_option_desc(const CLI::Option* option) const override {
    const std::string value = option->get_required() ? "required" : option->get_default_str();
    return value.empty() ? option->get_description() : concat(option->get_description(), " [", value, ']');
  }

 private:
  std::string examples_;
};

[[noreturn]] inline void refuse(const std::string& option, const std::string& expected, const std::string& found) {
  throw CLI::ValidationError(option, concat("expected ", expected, ", found '", eigan::printable(found), "'"));
}

/// The whole of `text` as a number, in decimal and without blanks; false when it is none.
template <class Number>
bool parse_number(std::string_view text, Number& value) {
  if constexpr (std::is_same_v<Number, double>) {
    return eigan::parse_number(text, value);
  } else {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
  }
}

/// A set of values and its name: {"a number above 0", [](double x) { return x > 0; }}.
template <class Number>
struct Range {
  std::string name;
  std::function<bool(Number)> contains;
};

inline Range<eigan::Index> whole(eigan::Index low, eigan::Index high) {
  return {concat("a whole number from ", low, " to ", high), [=](eigan::Index n) { return n >= low && n <= high; }};
}

inline const Range<double> positive{"a number above 0", [](double x) { return x > 0 && std::isfinite(x); }};
inline const Range<double> not_negative{"a number from 0", [](double x) { return x >= 0 && std::isfinite(x); }};
inline const Range<double> fraction{"a number from 0 to below 1", [](double x) { return x >= 0 && x < 1; }};
inline const Range<std::uint64_t> any_seed{"a whole number from 0 to 2^64 - 1", [](std::uint64_t) { return true; }};

/// How many characters must be put in, taken out or replaced to make one word of the other.
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = std::exchange(row[j + 1], std::min({row[j] + 1, row[j + 1] + 1, replaced}));
    }
  }
  return row.back();
}

/// What was wrong with the command line. A word that is nobody's option comes before all else, because a misspelt
/// option is missing, too.
inline std::string explain(const CLI::App& program, const CLI::ParseError& error) {
  const std::vector<std::string> unknown = program.remaining(true);
  const bool about_words = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr ||
                           dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  if (unknown.empty() || !about_words) return error.what();

  std::vector<std::string> known;
  const auto add_names = [&](const CLI::App& app) {
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) known.push_back(concat("--", name));
    }
  };
  add_names(program);
  for (const CLI::App* app : program.get_subcommands()) add_names(*app);
  if (program.get_subcommands().empty()) {
    for (const CLI::App* app : program.get_subcommands({})) known.push_back(app->get_name());
  }

  const std::string& word = unknown.front();
  std::string nearest;
  std::size_t least = 3;  // further away it is a guess
  for (const std::string& name : known) {
    const std::size_t distance = edit_distance(word.substr(0, word.find('=')), name);
    if (distance < least) nearest = name, least = distance;
  }
  return concat("unknown argument '", eigan::printable(word), nearest.empty() ? "'" : "', did you mean ", nearest,
                nearest.empty() ? "" : "?");
}

/// The options of one group of the help.
class OptionGroup {
 public:
  OptionGroup(CLI::App& app, std::string name) : app_(app), name_(std::move(name)) {}

  CLI::Option* flag(const std::string& name, const std::string& description, bool& value) {
    return app_.add_flag(name, value, description)->group(name_);
  }

  /// An option whose value `parse` takes; what it throws by `refuse` is shown.
  CLI::Option* read(const std::string& name, const char* unit, const std::string& description,
                    const std::function<void(const std::string&)>& parse) {
    return app_.add_option_function<std::string>(name, parse, description)
        ->option_text(unit)
        ->group(name_)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }

  CLI::Option* text(const std::string& name, const char* unit, const std::string& description, std::string& value,
                    const std::function<bool(std::string_view)>& accepts, const std::string& expected) {
    return read(name, unit, description, [=, &value](const std::string& given) {
      if (!accepts(given)) refuse(name, expected, given);
      value = given;
    });
  }
  CLI::Option* name(const std::string& name, const char* unit, const std::string& description, std::string& value) {
    return text(
        name, unit, description, value, [](std::string_view given) { return !given.empty(); }, "a name");
  }

  template <class Number>
  CLI::Option* number(const std::string& name, const char* unit, const std::string& description, Number& value,
                      const Range<Number>& range) {
    return number<Number>(name, unit, description, range, [&value](Number given) { value = given; })
        ->default_str(default_text(value));
  }
  template <class Number>
  CLI::Option* number(const std::string& name, const char* unit, const std::string& description,
                      const Range<Number>& range, const std::function<void(Number)>& set) {
    return read(name, unit, description, [=](const std::string& given) {
      Number value{};
      if (!parse_number(given, value) || !range.contains(value)) refuse(name, range.name, given);
      set(value);
    });
  }

  /// --threads; 0 stays where it is not given: all processors.
  CLI::Option* threads(int& threads) {
    return number<eigan::Index>("--threads", "N", "threads; the result does not depend on them", whole(1, 1024),
                                [&threads](eigan::Index n) { threads = static_cast<int>(n); })
        ->default_str("all processors");
  }

  /// One of some words; `value`, an enumeration or a bool, is its place among them.
  template <class Value>
  CLI::Option* choice(const std::string& name, const std::string& description, const std::vector<std::string>& words,
                      Value& value) {
    const auto list = [&](const char* comma, const char* last) {
      std::string text = words[0];
      for (std::size_t i = 1; i < words.size(); ++i) text += concat(i + 1 < words.size() ? comma : last, words[i]);
      return text;
    };
    const auto parse = [=, expected = list(", ", " or "), &value](const std::string& given) {
      const auto found = std::find(words.begin(), words.end(), given);
      if (found == words.end()) refuse(name, expected, given);
      value = static_cast<Value>(found - words.begin());
    };
    return read(name, list("|", "|").c_str(), description, parse)->default_str(words[static_cast<std::size_t>(value)]);
  }

  /// From `least` to `most` sizes: 32,64,128.
  CLI::Option* sizes(const std::string& name, const std::string& description, std::vector<eigan::Index>& values,
                     std::size_t least, std::size_t most, eigan::Index largest) {
    const auto parse = [=, &values](const std::string& given) {
      std::vector<eigan::Index> sizes;
      bool valid = true;
      for (std::string_view rest = given; valid;) {
        const std::size_t end = rest.find(',');
        valid = parse_number(rest.substr(0, end), sizes.emplace_back()) && sizes.back() >= 1 &&
                sizes.back() <= largest && sizes.size() <= most;
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
      }
      const std::string count = least == most ? concat(least) : concat(least, " to ", most);
      if (!valid || sizes.size() < least)
        refuse(name, concat(count, " sizes from 1 to ", largest, " with commas between them"), given);
      values = sizes;
    };
    std::string unit = "N";
    for (std::size_t i = 1; i < least; ++i) unit += ",N";
    if (most > least) unit += "[,N]";
    return read(name, unit.c_str(), description, parse)->default_str(joined(values, ','));
  }

 private:
  template <std::integral Number>
  static std::string default_text(Number value) {
    return std::to_string(value);
  }
  static std::string default_text(double value) { return shortest(value); }

  CLI::App& app_;
  std::string name_;
};

}  // namespace kit
