// What the fuzz targets share. A target is a file with one function, LLVMFuzzerTestOneInput: libFuzzer calls it with
// bytes of its invention, and replay.cpp with those of the corpus. It must neither crash nor throw.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/printable.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace fuzz {

/// What does not hold is a finding.
inline void require(bool holds) {
  if (!holds) std::abort();
}

/// Whether `text` is fit to be shown as it is.
inline bool is_printable(const std::string& text) {
  return eigan::printable(text, std::numeric_limits<std::size_t>::max()) == text;
}

/// Whether `read` accepts what it reads. A refusal is an eigan::Error with a short printable line.
template <class Read>
bool accepts(const Read& read) {
  try {
    read();
    return true;
  } catch (const eigan::Error& error) {
    const std::string text = error.what();
    require(!text.empty() && text.size() < 8192 && is_printable(text));
    return false;
  }
}

inline std::vector<std::byte> copy_of(std::span<const std::uint8_t> bytes) {
  const auto view = std::as_bytes(bytes);
  return {view.begin(), view.end()};
}

}  // namespace fuzz
