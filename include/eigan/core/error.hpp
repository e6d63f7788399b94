// What is thrown, and when.
//
// Error                   bad data: a file, a stream or a setting that came from outside is not what it must be.
//                         The text names the place, what was expected and what was found.
// std::invalid_argument   a programming error that the types could not rule out, such as a batch of the wrong size
//                         handed to a model. Checked once per call, never per element, so it stays on in every build.
//
// Without exceptions (-fno-exceptions), eigan::error_handler gets the text instead and must not return.
#pragma once

#include <concepts>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <locale>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace eigan {

/// The one exception type for bad data.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

#if !defined(__cpp_exceptions)
/// Called in place of every throw; the program ends when it returns. Yours may, for instance, show the text and
/// longjmp.
inline void (*error_handler)(const char* text) = [](const char* text) { std::fprintf(stderr, "%s\n", text); };
#endif

namespace detail {

/// throw e, where there are exceptions.
template <class E>
[[noreturn, gnu::noinline, gnu::cold]] void raise(const E& e) {
#if defined(__cpp_exceptions)
  throw e;
#else
  error_handler(e.what());
  std::abort();
#endif
}

/// f(), and where it throws an E, what `then` makes of that.
template <class E, class F, class G>
auto attempt(const F& f, [[maybe_unused]] const G& then) {
#if defined(__cpp_exceptions)
  try {
    return f();
  } catch (const E& e) {
    return then(e);
  }
#else
  return f();
#endif
}

/// A piece of a text: characters or a number. So texts of any pieces share one function.
struct Piece {
  std::string_view text;
  double real = 0;
  long long whole = 0;
  unsigned long long natural = 0;
  enum { characters, a_real, a_whole, a_natural } kind;

  Piece(std::string_view t) : text(t), kind(characters) {}
  Piece(const std::string& t) : text(t), kind(characters) {}
  Piece(const char* t) : text(t), kind(characters) {}
  Piece(const char& c) : text(&c, 1), kind(characters) {}
  Piece(std::floating_point auto number) : real(static_cast<double>(number)), kind(a_real) {}
  Piece(std::signed_integral auto number) : whole(number), kind(a_whole) {}
  Piece(std::unsigned_integral auto number) : natural(number), kind(a_natural) {}
};

[[gnu::noinline]] inline std::string join(std::initializer_list<Piece> pieces) {
  std::ostringstream text;
  text.exceptions(std::ios::badbit);   // without memory a stream would leave out the rest and say nothing
  text.imbue(std::locale::classic());  // these texts go into files and are compared: no 1.024 for 1024
  for (const Piece& piece : pieces) switch (piece.kind) {
      case Piece::characters:
        text << piece.text;
        break;
      case Piece::a_real:
        text << piece.real;
        break;
      case Piece::a_whole:
        text << piece.whole;
        break;
      case Piece::a_natural:
        text << piece.natural;
        break;
    }
  return text.str();
}

template <class... Parts>
std::string concat(const Parts&... parts) {
  return join({Piece(parts)...});
}

/// Throws std::invalid_argument with the concatenated parts. Kept out of line so that checks cost one branch.
template <class... Parts>
[[noreturn, gnu::noinline, gnu::cold]] void fail_contract(const Parts&... parts) {
  raise(std::invalid_argument(concat(parts...)));
}

/// Throws Error with the concatenated parts.
template <class... Parts>
[[noreturn, gnu::noinline, gnu::cold]] void fail_data(const Parts&... parts) {
  raise(Error(concat(parts...)));
}

}  // namespace detail
}  // namespace eigan
