// What is thrown, and when.
//
// Error                   bad data: a file, a stream or a setting that came from outside is not what it must be.
//                         The text names the place, what was expected and what was found.
// std::invalid_argument   a programming error that the types could not rule out, such as a batch of the wrong size
//                         handed to a model. Checked once per call, never per element, so it stays on in every build.
#pragma once

#include <locale>
#include <sstream>
#include <stdexcept>
#include <string>

namespace eigan {

/// The one exception type for bad data.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {

template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream text;
  text.exceptions(std::ios::badbit);   // without memory a stream would leave out the rest and say nothing
  text.imbue(std::locale::classic());  // these texts go into files and are compared: no 1.024 for 1024
  (text << ... << parts);
  return text.str();
}

/// Throws std::invalid_argument with the concatenated parts. Kept out of line so that checks cost one branch.
template <class... Parts>
[[noreturn, gnu::noinline, gnu::cold]] void fail_contract(const Parts&... parts) {
  throw std::invalid_argument(concat(parts...));
}

/// Throws Error with the concatenated parts.
template <class... Parts>
[[noreturn, gnu::noinline, gnu::cold]] void fail_data(const Parts&... parts) {
  throw Error(concat(parts...));
}

}  // namespace detail
}  // namespace eigan
