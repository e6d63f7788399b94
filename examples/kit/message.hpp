// Messages go to standard error; standard output is for data that was asked for.
#pragma once

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

#include <eigan/core/error.hpp>

#include "text.hpp"

namespace kit {

/// Writes a line in one piece.
template <class... Parts>
void say(const Parts&... parts) {
  const std::string line = concat(parts..., '\n');
  std::fwrite(line.data(), 1, line.size(), stderr);
}

/// Calls `write`, whose eigan::Error becomes a warning: for what a long run can do without. `before` makes room for it.
template <class Write, class Before>
void or_warn(Write&& write, Before&& before) {
  try {
    std::forward<Write>(write)();
  } catch (const eigan::Error& error) {
    std::forward<Before>(before)();
    say("warning: ", error.what());
  }
}
template <class Write>
void or_warn(Write&& write) {
  or_warn(std::forward<Write>(write), [] {});
}

/// Writes a line to standard output. eigan::Error if that takes no more.
template <class... Parts>
void print(const Parts&... parts) {
  const std::string line = concat(parts..., '\n');
  if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size() || std::fflush(stdout) != 0) {
    throw eigan::Error(concat("standard output: cannot write: ", std::generic_category().message(errno)));
  }
}

}  // namespace kit
