// The one place that states eigan's version; CMakeLists.txt and the package files read it from here.
#pragma once

#define EIGAN_VERSION_MAJOR 0
#define EIGAN_VERSION_MINOR 1
#define EIGAN_VERSION_PATCH 0

namespace eigan {

/// The version as text, for banners and file metadata.
inline constexpr const char* version = "0.1.0";

}  // namespace eigan
