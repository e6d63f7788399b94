// The one place that states eigan's version; CMakeLists.txt and the package files read it from here.
#pragma once

/// The version for the preprocessor: grows when programs must change.
#define EIGAN_VERSION_MAJOR 0
/// Grows with what is new; before 1.0.0 also when programs must change.
#define EIGAN_VERSION_MINOR 1
/// Grows with what is mended.
#define EIGAN_VERSION_PATCH 0

namespace eigan {

/// The version as text, for banners and file metadata.
inline constexpr const char* version = "0.1.0";

}  // namespace eigan
