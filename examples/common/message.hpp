// Messages go to standard error; standard output is for data that was asked for.
#pragma once

#include <cstdio>
#include <string>

#include "text.hpp"

namespace example {

/// Writes a line in one piece.
template <class... Parts>
void say(const Parts&... parts) {
  const std::string line = concat(parts..., '\n');
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace example
