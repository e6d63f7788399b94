// Terminal: what standard error can show.
#pragma once

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace kit {

struct Terminal {
  bool live = false;    ///< a line can be drawn again and again
  bool colour = false;  ///< and in colour

  static Terminal detect() {
    const char* const type = std::getenv("TERM");
    const bool clever = type != nullptr && *type != '\0' && std::string_view(type) != "dumb";
    const bool live = ::isatty(STDERR_FILENO) == 1 && clever && !is_set("CI");
    return {live, live && !is_set("NO_COLOR")};
  }

  /// Characters a line has room for, asked anew because windows change: COLUMNS, or what the terminal says, or 80.
  static int columns() {
    if (const char* const stated = std::getenv("COLUMNS")) {
      if (const int columns = std::atoi(stated); columns > 0) return columns;
    }
    struct ::winsize size {};
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
  }

 private:
  static bool is_set(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr && *value != '\0';
  }
};

}  // namespace kit
