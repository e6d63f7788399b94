// Which names a program may give to a namespace: identifiers, but for keywords and what C++ keeps for itself.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace eigan {
namespace detail {

/// Every word of C++20 that looks like an identifier and is none.
inline constexpr auto cpp_keywords = std::to_array<std::string_view>(
    {"alignas",     "alignof",  "and",        "and_eq",    "asm",       "auto",         "bitand",
     "bitor",       "bool",     "break",      "case",      "catch",     "char",         "char16_t",
     "char32_t",    "char8_t",  "class",      "co_await",  "co_return", "co_yield",     "compl",
     "concept",     "const",    "const_cast", "consteval", "constexpr", "constinit",    "continue",
     "decltype",    "default",  "delete",     "do",        "double",    "dynamic_cast", "else",
     "enum",        "explicit", "export",     "extern",    "false",     "float",        "for",
     "friend",      "goto",     "if",         "inline",    "int",       "long",         "mutable",
     "namespace",   "new",      "noexcept",   "not",       "not_eq",    "nullptr",      "operator",
     "or",          "or_eq",    "private",    "protected", "public",    "register",     "reinterpret_cast",
     "requires",    "return",   "short",      "signed",    "sizeof",    "static",       "static_assert",
     "static_cast", "struct",   "switch",     "template",  "this",      "thread_local", "throw",
     "true",        "try",      "typedef",    "typeid",    "typename",  "union",        "unsigned",
     "using",       "virtual",  "void",       "volatile",  "wchar_t",   "while",        "xor",
     "xor_eq"});

/// Names that compilers and the C library's headers have taken: macros, without underscores, and a function.
inline constexpr auto cpp_taken = std::to_array<std::string_view>(
    {"EOF", "NULL", "assert", "errno", "linux", "main", "posix", "std", "stderr", "stdin", "stdout", "unix"});

}  // namespace detail

/// Whether a program may call a namespace so: ASCII letters, digits and underscores, no digit first, no underscore
/// first and no two in a row (such names are the compiler's), no keyword, and none that every program meets, such as
/// `std` and `linux`. More cannot be told from here: the name must be neither a macro of the program's headers nor a
/// function of the C library, such as `index`. `yours::name` is safe from the functions.
inline bool is_cpp_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto part = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_'; };
  const auto among = [&](const auto& names) { return std::find(names.begin(), names.end(), name) != names.end(); };
  return !name.empty() && letter(name.front()) && std::all_of(name.begin(), name.end(), part) &&
         name.find("__") == std::string_view::npos && !among(detail::cpp_keywords) && !among(detail::cpp_taken);
}

/// Whether each name in a nested namespace, `mine::digits`, is one to use.
inline bool is_cpp_namespace(std::string_view name) {
  const std::size_t colons = name.find("::");
  return is_cpp_name(name.substr(0, colons)) &&
         (colons == std::string_view::npos || is_cpp_namespace(name.substr(colons + 2)));
}

}  // namespace eigan
