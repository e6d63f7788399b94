// How the program ends, and the exceptions that lead there. Any other exception is a failure.
#pragma once

#include <stdexcept>
#include <utility>

#include <eigan/core/error.hpp>

namespace kit {

enum ExitCode : int {
  success = 0,
  failure = 1,      ///< a file that cannot be written, no memory
  usage = 2,        ///< a command line that makes no sense
  bad_input = 3,    ///< a data set or model that is missing or damaged
  diverged = 4,     ///< a loss that is not a number any more
  by_signal = 128,  ///< plus the signal's number
};

struct BadInput : eigan::Error {
  using Error::Error;
};
struct Diverged : std::runtime_error {
  using runtime_error::runtime_error;
};

/// Calls `read`; what it finds wrong with the file it reads becomes BadInput.
template <class Read>
auto reading(Read&& read) {
  try {
    return std::forward<Read>(read)();
  } catch (const eigan::Error& error) {
    throw BadInput(error.what());
  }
}

}  // namespace kit
