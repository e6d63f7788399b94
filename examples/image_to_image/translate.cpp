// `image_to_image translate`: anybody's pictures, through a trained generator.
#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <eigan/core/printable.hpp>
#include <eigan/io/image_sheet.hpp>

#include "kit/exit_code.hpp"
#include "kit/message.hpp"

#include "commands.hpp"
#include "input_picture.hpp"
#include "translator.hpp"

namespace image_to_image {

namespace fs = std::filesystem;

namespace {

std::string name_of(const fs::path& path) {
  return eigan::printable(path.native(), 4096);
}

bool is_picture(const fs::path& path) {
  std::string ending = path.extension();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

/// Files as they are named; of a folder the pictures directly in it, by name.
std::vector<fs::path> pictures_in(const std::vector<std::string>& names) {
  std::vector<fs::path> all;
  for (const fs::path name : names) {
    std::error_code error;
    if (!fs::is_directory(name, error)) {
      all.push_back(name);
      continue;
    }
    std::vector<fs::path> inside;
    fs::directory_iterator entry(name, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error))
      if (is_picture(entry->path())) inside.push_back(entry->path());
    if (error) throw BadInput(concat(name_of(name), ": cannot list the folder: ", error.message()));
    if (inside.empty()) throw BadInput(concat(name_of(name), ": expected .png and .jpg files, found none"));
    std::sort(inside.begin(), inside.end());
    all.insert(all.end(), inside.begin(), inside.end());
  }
  return all;
}

/// Where each translation goes. Two that would go to one place, or to where a file is, are refused before any is made.
std::vector<fs::path> places(const std::vector<fs::path>& pictures, const TranslateOptions& options) {
  std::vector<fs::path> all;
  std::map<fs::path, fs::path> taken;
  for (const fs::path& picture : pictures) {
    const fs::path place = fs::path(options.out) / concat(picture.stem().native(), ".png");
    const auto [other, is_new] = taken.try_emplace(place, picture);
    if (!is_new)
      throw BadInput(concat(name_of(picture), ": its translation would be ", name_of(place), ", as that of ",
                            name_of(other->second)));
    std::error_code ignored;
    if (!options.force && fs::exists(place, ignored))
      throw BadInput(concat(name_of(place), ": is there already; --force replaces it"));
    all.push_back(place);
  }
  return all;
}

}  // namespace

int translate(const TranslateOptions& options) {
  const Translator translator = load_translator(options.model);
  if (options.noise && translator.model.architecture().find("Dropout") == std::string::npos)
    throw BadInput(concat(eigan::printable(options.model),
                          ": expected a model with dropout for --noise, found one that draws nothing"));
  if (options.noise && translator.model.architecture().find("BatchNorm") != std::string::npos)
    throw BadInput(concat(eigan::printable(options.model),
                          ": expected a model without statistics of its training for --noise; those of "
                          "--norm instance and --statistics image have none"));
  const std::vector<fs::path> pictures = pictures_in(options.in);
  const std::vector<fs::path> to = places(pictures, options);
  const eigan::Shape learnt = translator.model.input_shape();
  std::size_t others = 0;
  for (const fs::path& picture : pictures) {  // all or none
    const PictureSet read = read_input(picture, translator, options.size);
    if (read.height != learnt.height || read.width != learnt.width) ++others;
  }
  if (others > 0)
    say("warning: the model learnt ", learnt.width, "x", learnt.height, " pictures, and ", others, " of ",
        pictures.size(), " are of another size, for which it may do worse; --size ", learnt.height,
        " makes pictures so");
  std::error_code error;
  fs::create_directories(options.out, error);
  if (error) throw eigan::Error(concat(name_of(options.out), ": cannot create the folder: ", error.message()));
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const PictureSet made =
        translator.translate(read_input(pictures[i], translator, options.size), options.noise, {options.threads});
    eigan::write_png(to[i], made.bytes, made.width, made.height, made.channels);
  }
  say(pictures.size(), pictures.size() == 1 ? " picture, " : " pictures, ", eigan::printable(translator.from), " to ",
      eigan::printable(translator.to), ", in ", name_of(options.out));
  return success;
}

}  // namespace image_to_image
