// A table as text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "text.hpp"

namespace kit {

/// Lines of as many cells each. The widest cell of each column decides; the first column is left-aligned.
inline std::string aligned(const std::vector<std::vector<std::string>>& lines) {
  std::vector<std::size_t> widths(lines.front().size());
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  std::string text;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string blanks(widths[i] - line[i].size(), ' ');
      text += i == 0 ? line[i] + blanks : concat("  ", blanks, line[i]);
    }
    text += '\n';
  }
  return text;
}

}  // namespace kit
