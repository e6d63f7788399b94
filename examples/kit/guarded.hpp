// The outermost call of a program: an exception becomes one line on standard error and an exit code.
#pragma once

#include <exception>
#include <new>
#include <string>

#include <eigan/core/printable.hpp>

#include "exit_code.hpp"
#include "message.hpp"

namespace kit {

/// Says `program: error: message`.
inline int fail(const std::string& program, const std::string& message, int code) {
  say(program, ": error: ", eigan::printable(message, 8192));
  return code;
}

/// The exit code that `run` returns, or the one for what it throws.
template <class Run>
int guarded(const std::string& program, const Run& run) {
  try {
    return run();
  } catch (const BadInput& error) {
    return fail(program, error.what(), bad_input);
  } catch (const Diverged& error) {
    return fail(program, error.what(), diverged);
  } catch (const std::bad_alloc&) {
    return fail(program, "out of memory", failure);
  } catch (const std::exception& error) {
    return fail(program, error.what(), failure);
  }
}

}  // namespace kit
