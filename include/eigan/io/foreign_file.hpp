// what_it_is: what a file that is none of ours looks like, by its first bytes, and what to do about it. A reader adds
// the text to its message: a length or a magic number alone would be a riddle.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace eigan::detail {

/// "; this is ...", or nothing where the bytes are not known.
inline std::string what_it_is(std::span<const std::byte> file) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are looked at as characters
  std::string_view text(reinterpret_cast<const char*>(file.data()), std::min<std::size_t>(file.size(), 4096));
  struct Kind {
    std::string_view start;
    const char* text;
  };
  using namespace std::string_view_literals;
  static constexpr Kind kinds[] = {
      {"PK\3\4"sv,
       "a zip archive, as torch.save and numpy.savez write them; in Python, "
       "safetensors.torch.save_file(model.state_dict(), path) or numpy.save write what is read here"},
      {"\x80\2"sv,
       "a pickle, as torch.save wrote it before 1.6; in Python, safetensors.torch.save_file writes what is "
       "read here"},
      {"version https://git-lfs"sv, "a git-lfs pointer in place of the file; `git lfs pull` fetches that"},
      {"\x93NUMPY"sv, "an array of NumPy (.npy)"},
      {"\x89HDF"sv, "an HDF5 file, as Keras writes them"},
      {"GGUF"sv, "a GGUF file"},
      {"\xFF\xD8\xFF"sv, "a JPEG image"},
      {"\x89PNG"sv, "a PNG image"},
      {"\x1F\x8B"sv, "gzip data"},
      {"\0\0\x08"sv, "IDX data, as MNIST has them"}};
  for (const Kind& kind : kinds)
    if (text.starts_with(kind.start)) return std::string("; this is ") + kind.text;
  const std::size_t first = text.find_first_not_of("\xEF\xBB\xBF \t\r\n");  // behind a byte order mark and blanks
  if (first == std::string_view::npos) return "";
  if (text[first] == '<') return "; this is an HTML or XML page, perhaps a download's error page saved under this name";
  if (text[first] == '{' && text.find("\"weight_map\"") != std::string_view::npos)
    return "; this is the index of a sharded model, which load() takes by its path";
  if (text[first] == '{' && text.find('"') < first + 64) return "; this is JSON text";
  return "";
}

}  // namespace eigan::detail
