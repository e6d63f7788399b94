// What the program was compiled with.
#pragma once

#include <string>

#include <eigan/core/engine.hpp>

#include "text.hpp"

namespace kit {

/// "g++ 12.2.0".
inline std::string compiler() {
#if defined(__clang__)
  return concat("clang++ ", __clang_major__, '.', __clang_minor__, '.', __clang_patchlevel__);
#elif defined(__GNUC__)
  return concat("g++ ", __GNUC__, '.', __GNUC_MINOR__, '.', __GNUC_PATCHLEVEL__);
#else
  return "an unknown compiler";
#endif
}

/// Who lends its threads.
inline const char* engine() {
  return eigan::active_engine() == eigan::Engine::openmp ? "OpenMP" : "threads of eigan's own";
}

/// A line of warning when the program was compiled without optimisation or with assertions; otherwise nothing.
inline std::string build_warning() {
#if !defined(__OPTIMIZE__)
  return "warning: compiled without optimisation, training will be slow; use the preset 'release'";
#elif !defined(NDEBUG)
  return "warning: compiled with assertions, training will be slow; use the preset 'release'";
#else
  return "";
#endif
}

}  // namespace kit
