#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>

#include <eigan/core/error.hpp>
#include <eigan/data/byte_source.hpp>
#include <eigan/data/idx.hpp>
#include <eigan/io/atomic_file.hpp>
#include <eigan/io/json_reader.hpp>
#include <eigan/io/read_file.hpp>

#include "kit/exit_code.hpp"
#include "kit/json_object.hpp"
#include "kit/text.hpp"

#include "picture_set.hpp"

namespace image_to_image {

using eigan::detail::fail_data;
using kit::concat;
namespace fs = std::filesystem;

namespace {

constexpr const char* contents = "task.json";
constexpr std::uint64_t most_text = std::uint64_t{1} << 28;

/// The parts of a task, and what their files' names begin with.
template <class Data, class Visit>
void for_each_part(Data& data, const Visit& visit) {
  visit("train", data.train);
  visit("validation", data.validation);
  visit("test", data.test);
}

template <class Domains, class Visit>
void for_each_domain(Domains& domains, const Visit& visit) {
  visit("a", domains.a, domains.a_labels, domains.a_names);
  visit("b", domains.b, domains.b_labels, domains.b_names);
}

std::vector<std::uint8_t> idx_of(std::initializer_list<Index> sizes, std::span<const std::uint8_t> values) {
  std::vector<std::uint8_t> bytes{0, 0, 8, static_cast<std::uint8_t>(sizes.size())};
  for (const Index size : sizes)
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(size >> shift & 0xFF));
  bytes.insert(bytes.end(), values.begin(), values.end());
  return bytes;
}

void write_bytes(const fs::path& path, const std::vector<std::uint8_t>& bytes) {
  eigan::write_file(path, std::as_bytes(std::span(bytes)));
}

PictureSet read_pictures(const fs::path& path) {
  eigan::FileSource file(path);
  const auto sizes = eigan::detail::read_idx_header<4>(file);
  PictureSet pictures;
  pictures.bytes = eigan::detail::read_idx_values(file, sizes);
  pictures.count = static_cast<Index>(sizes[0]);
  pictures.height = static_cast<Index>(sizes[1]);
  pictures.width = static_cast<Index>(sizes[2]);
  pictures.channels = static_cast<Index>(sizes[3]);
  return pictures;
}

std::vector<std::string> read_lines(const fs::path& path) {
  const std::vector<std::byte> bytes = eigan::read_file(path, most_text);
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

struct Contents {
  std::map<std::string, std::string> words;
  std::map<std::string, std::uint64_t> numbers;
};

Contents read_contents(const fs::path& path) {
  const std::vector<std::byte> bytes = eigan::read_file(path, most_text);
  const std::string name = eigan::detail::display(path);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (eigan::detail::find_invalid_utf8(text) < text.size())
    fail_data(name, ": expected JSON, found bytes that are no UTF-8");
  eigan::detail::JsonReader json(text, name);
  Contents found;
  json.object([&](const std::string& key) {
    const bool word = key == "task" || key == "a" || key == "b" || key == "licence";
    if (word) {
      found.words[key] = json.string();
    } else {
      found.numbers[key] = json.unsigned_integer();
    }
  });
  json.end();
  return found;
}

const std::string& word_of(const Contents& found, const std::string& key, const std::string& name) {
  const auto place = found.words.find(key);
  if (place == found.words.end()) fail_data(name, ": expected a member \"", key, "\", found none");
  return place->second;
}

std::uint64_t number_of(const Contents& found, const std::string& key, const std::string& name) {
  const auto place = found.numbers.find(key);
  if (place == found.numbers.end()) fail_data(name, ": expected a member \"", key, "\", found none");
  return place->second;
}

}  // namespace

TaskData read_task(const fs::path& folder) {
  return kit::reading([&] {
    std::error_code ignored;
    if (!fs::exists(folder / contents, ignored)) {
      fail_data(eigan::detail::display(folder), ": expected the folder of a prepared task, found no ", contents,
                " in it; image_to_image prepare writes one");
    }
    const std::string name = eigan::detail::display(folder / contents);
    const Contents found = read_contents(folder / contents);
    const auto word = [&](const char* key) { return word_of(found, key, name); };
    TaskData data;
    data.info = {word("task"), word("a"), word("b"), word("licence")};
    for_each_part(data, [&](const std::string& part, TwoDomains& domains) {
      domains.paired = number_of(found, part + "_paired", name) != 0;
      for_each_domain(domains, [&](const std::string& domain, PictureSet& pictures, auto& labels, auto& names) {
        const std::string stem = concat(part, '-', domain);
        const fs::path path = folder / (stem + ".idx4-ubyte");
        pictures = read_pictures(path);
        const auto check = [&](std::uint64_t count, const std::string& things, const fs::path& where) {
          const std::uint64_t expected = number_of(found, concat(part, '_', domain), name);
          if (count != expected)
            fail_data(eigan::detail::display(where), ": ", count, " ", things, ", expected ", expected, ", as ", name,
                      " says");
        };
        check(static_cast<std::uint64_t>(pictures.count), "pictures", path);
        if (const fs::path more = folder / (stem + "-labels.idx1-ubyte"); fs::exists(more, ignored)) {
          eigan::FileSource file(more);
          labels = eigan::read_idx_labels(file);
          check(labels.size(), "labels", more);
        }
        if (const fs::path more = folder / (stem + "-names.txt"); fs::exists(more, ignored)) {
          names = read_lines(more);
          check(names.size(), "names", more);
        }
        const PictureSet& first = domain == "a" ? data.train.a : data.train.b;
        if (pictures.height != data.train.a.height || pictures.width != data.train.a.width ||
            pictures.channels != first.channels) {
          fail_data(eigan::detail::display(path), ": pictures of ", pictures.width, "x", pictures.height,
                    " pixels and ", pictures.channels, " channels, expected ", data.train.a.width, "x",
                    data.train.a.height, " and ", first.channels, ", as in the files of train");
        }
      });
      if (domains.paired && domains.a.count != domains.b.count) {
        fail_data(name, ": ", part, " is paired, expected as many pictures of b as the ", domains.a.count,
                  " of a, found ", domains.b.count);
      }
    });
    return data;
  });
}

void write_task(const fs::path& folder, const TaskData& data) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) eigan::detail::fail_system(folder, "create the folder", error.value());
  fs::remove(folder / contents, error);  // a folder half written is none
  kit::JsonObject json;
  json.add("task", data.info.task).add("a", data.info.a).add("b", data.info.b).add("licence", data.info.licence);
  json.add("height", data.train.a.height).add("width", data.train.a.width);
  json.add("a_channels", data.train.a.channels).add("b_channels", data.train.b.channels);
  for_each_part(data, [&](const std::string& part, const TwoDomains& domains) {
    json.add(part + "_paired", domains.paired ? 1 : 0);
    for_each_domain(domains, [&](const std::string& domain, const PictureSet& pictures, const auto& labels,
                                 const auto& names) {
      const std::string stem = concat(part, '-', domain);
      json.add(concat(part, '_', domain), pictures.count);
      write_bytes(folder / (stem + ".idx4-ubyte"),
                  idx_of({pictures.count, pictures.height, pictures.width, pictures.channels}, pictures.bytes));
      const fs::path with_labels = folder / (stem + "-labels.idx1-ubyte"), with_names = folder / (stem + "-names.txt");
      fs::remove(with_labels, error);
      fs::remove(with_names, error);
      if (!labels.empty()) write_bytes(with_labels, idx_of({std::ssize(labels)}, labels));
      std::string lines;
      for (const std::string& name : names) lines += name + '\n';
      if (!names.empty()) eigan::write_file(with_names, lines);
    });
  });
  eigan::write_file(folder / contents, json.text());
}

}  // namespace image_to_image
