#include "own_pictures.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <eigan/core/error.hpp>
#include <eigan/io/file_descriptor.hpp>

#include "kit/exit_code.hpp"
#include "kit/read_picture.hpp"
#include "kit/resized.hpp"
#include "kit/text.hpp"

namespace image_to_image {

namespace fs = std::filesystem;
using kit::BadInput;
using kit::concat;
using kit::Picture;

namespace {

std::string display(const fs::path& path) {
  return eigan::detail::display(path);
}

/// Also those that are not read, which so are refused instead of left out.
bool is_picture(const fs::path& path) {
  constexpr std::array<std::string_view, 11> endings{".png", ".jpg",  ".jpeg", ".gif",  ".webp", ".bmp",
                                                     ".tif", ".tiff", ".heic", ".avif", ".svg"};
  std::string ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return !path.filename().string().starts_with('.') && std::ranges::find(endings, ending) != endings.end();
}

Picture read(const fs::path& path, Index channels, const FolderOptions& options) {
  return kit::reading([&] { return kit::read_picture(path, {channels, options.ground}); });
}

void check_shows_something(const fs::path& path, const Picture& picture, const FolderOptions& options) {
  if (picture.height >= options.least && picture.width >= options.least) return;
  throw BadInput(concat(display(path), ": a picture of ", picture.width, 'x', picture.height,
                        " pixels, expected at least ", options.least, 'x', options.least));
}

/// A set in the making, whose pictures get one size.
class Gatherer {
 public:
  Gatherer(const FolderOptions& options, Index channels) : options_(options) {
    set_.channels = channels;
    set_.height = options.height;
    set_.width = options.width;
  }

  void add(const fs::path& path, const Picture& picture) {
    check_shows_something(path, picture, options_);
    if (options_.height > 0) {
      append(kit::resized(kit::cropped_to_shape(picture, set_.height, set_.width), set_.height, set_.width));
      return;
    }
    if (set_.count == 0) {
      set_.height = picture.height;
      set_.width = picture.width;
      first_ = path;
      check_legal(display(path), picture.height, picture.width, options_.multiple);
    }
    if (picture.height != set_.height || picture.width != set_.width) {
      throw BadInput(concat(display(path), ": a picture of ", picture.width, 'x', picture.height, " pixels, expected ",
                            set_.width, 'x', set_.height, ", as ", display(first_), " has; --size makes them alike"));
    }
    append(picture);
  }

  PictureSet take() { return std::move(set_); }

 private:
  void append(const Picture& picture) {
    set_.bytes.insert(set_.bytes.end(), picture.bytes.begin(), picture.bytes.end());
    ++set_.count;
  }

  const FolderOptions& options_;
  PictureSet set_;
  fs::path first_;
};

void check_options(const FolderOptions& options) {
  if (options.height > 0) check_legal("--size", options.height, options.width, options.multiple);
}

std::optional<std::pair<fs::path, fs::path>> two_folders(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& [a, b] : {std::pair{"a", "b"}, {"A", "B"}}) {
    const bool has_a = fs::is_directory(folder / a, ignored), has_b = fs::is_directory(folder / b, ignored);
    if (has_a && has_b) return std::pair{folder / a, folder / b};
    if (has_a || has_b) {
      throw BadInput(
          concat(display(folder), ": expected two folders, ", a, " and ", b, ", found only ", has_a ? a : b));
    }
  }
  return std::nullopt;
}

using ByName = std::map<std::string, fs::path>;

ByName by_name(const fs::path& folder) {
  ByName files;
  for (const fs::path& path : list_pictures(folder)) {
    const auto [place, is_new] = files.emplace(path.stem().string(), path);
    if (!is_new)
      throw BadInput(concat(display(path), ": expected one picture of this name, found also ", display(place->second)));
  }
  return files;
}

/// The first file without a partner is named.
void check_partners(const ByName& files, const ByName& others, const fs::path& folder) {
  const auto lacks = [&](const auto& file) { return !others.contains(file.first); };
  const auto missing = std::ranges::count_if(files, lacks);
  if (missing == 0) return;
  throw BadInput(concat(display(std::ranges::find_if(files, lacks)->second), ": expected a partner of this name in ",
                        display(folder), ", found none; ", missing, " of ", files.size(), " files have none"));
}

void check_one_shape(const fs::path& path, const Picture& a, const fs::path& partner, const Picture& b) {
  if (a.width * b.height == b.width * a.height) return;
  throw BadInput(concat(display(partner), ": a picture of ", b.width, 'x', b.height,
                        " pixels, expected the shape of its partner ", display(path), ", ", a.width, 'x', a.height));
}

}  // namespace

Index nearest_legal(Index size, Index multiple) {
  return std::max<Index>((size + multiple / 2) / multiple, 1) * multiple;
}

void check_legal(const std::string& name, Index height, Index width, Index multiple) {
  if (height > 0 && width > 0 && height % multiple == 0 && width % multiple == 0) return;
  throw BadInput(concat(name, ": ", width, 'x', height, " pixels, expected multiples of ", multiple,
                        "; the nearest is ", nearest_legal(width, multiple), 'x', nearest_legal(height, multiple)));
}

std::vector<fs::path> list_pictures(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw BadInput(concat(display(folder), ": expected a folder of pictures, found ",
                          fs::exists(folder, error) ? "a file" : "nothing of this name"));
  }
  std::vector<fs::path> pictures;
  std::size_t others = 0;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (is_picture(entry->path()) && !entry->is_directory(ignored)) {
      pictures.push_back(entry->path());
    } else {
      ++others;
    }
  }
  if (error) throw BadInput(concat(display(folder), ": cannot read the folder: ", error.message()));
  if (pictures.empty()) {
    throw BadInput(concat(display(folder), ": expected pictures, .png, .jpg or .jpeg, found ",
                          others == 0 ? std::string("an empty folder") : concat(others, " other names")));
  }
  std::ranges::sort(pictures);
  return pictures;
}

TwoDomains read_pairs(const fs::path& folder, const FolderOptions& options) {
  check_options(options);
  TwoDomains pairs;
  pairs.paired = true;
  Gatherer a(options, options.a_channels), b(options, options.b_channels);
  if (const auto folders = two_folders(folder)) {
    const ByName as = by_name(folders->first), bs = by_name(folders->second);
    check_partners(as, bs, folders->second);
    check_partners(bs, as, folders->first);
    for (const auto& [name, path] : as) {
      const fs::path& partner = bs.at(name);
      const Picture first = read(path, options.a_channels, options),
                    second = read(partner, options.b_channels, options);
      check_one_shape(path, first, partner, second);
      a.add(path, first);
      b.add(partner, second);
      pairs.a_names.push_back(name);
    }
  } else {
    for (const fs::path& path : list_pictures(folder)) {
      const auto half = [&](Index channels, bool right) {
        const Picture both = read(path, channels, options);
        check_shows_something(path, both, options);
        if (both.width % 2 != 0) {
          throw BadInput(concat(display(path), ": a picture of ", both.width, 'x', both.height,
                                " pixels, expected an even width: a on the left half, b on the right"));
        }
        return kit::cropped(both, 0, right ? both.width / 2 : 0, both.height, both.width / 2);
      };
      a.add(path, half(options.a_channels, false));
      b.add(path, half(options.b_channels, true));
      pairs.a_names.push_back(path.stem().string());
    }
  }
  pairs.b_names = pairs.a_names;
  pairs.a = a.take();
  pairs.b = b.take();
  return pairs;
}

TwoDomains read_unpaired(const fs::path& a, const fs::path& b, const FolderOptions& options) {
  check_options(options);
  TwoDomains domains;
  const auto gather = [&](const fs::path& folder, Index channels, std::vector<std::string>& names) {
    Gatherer set(options, channels);
    for (const fs::path& path : list_pictures(folder)) {
      set.add(path, read(path, channels, options));
      names.push_back(path.stem().string());
    }
    return set.take();
  };
  domains.a = gather(a, options.a_channels, domains.a_names);
  domains.b = gather(b, options.b_channels, domains.b_names);
  if (domains.a.height != domains.b.height || domains.a.width != domains.b.width) {
    throw BadInput(concat(display(b), ": pictures of ", domains.b.width, 'x', domains.b.height, " pixels, expected ",
                          domains.a.width, 'x', domains.a.height, ", as in ", display(a), "; --size makes them alike"));
  }
  return domains;
}

}  // namespace image_to_image
