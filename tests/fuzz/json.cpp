// The JSON reader beside another parser: what we accept, it reads alike, and a string that it reads we accept.
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include <eigan/io/json_reader.hpp>

#include "fuzz.hpp"

namespace {

using eigan::detail::JsonReader;
using nlohmann::json;

/// What `read` makes of the whole text; nothing if it refuses.
template <class Read>
auto whole(std::string_view text, const Read& read) {
  std::optional<decltype(read(std::declval<JsonReader&>()))> result;
  fuzz::accepts([&] {
    JsonReader reader(text, "f");
    auto value = read(reader);
    reader.end();
    result = std::move(value);
  });
  return result;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  // Not UTF-8, which is the caller's to find; a byte order mark, which the other parser steps over, or a zero byte,
  // at which it stops.
  if (eigan::detail::find_invalid_utf8(text) != std::string_view::npos || text.starts_with("\xEF\xBB\xBF") ||
      text.find('\0') != std::string_view::npos)
    return 0;
  const json theirs = json::parse(text, nullptr, false);
  if (data[0] % 3 == 0) {
    const auto ours = whole(text, [](JsonReader& reader) { return reader.string(); });
    fuzz::require(ours.has_value() == theirs.is_string());
    if (!ours) return 0;
    fuzz::require(*ours == theirs.get_ref<const std::string&>());
    std::string again;
    eigan::detail::append_json_string(again, *ours);
    fuzz::require(whole(again, [](JsonReader& reader) { return reader.string(); }) == ours);
  } else if (data[0] % 3 == 1) {
    const auto ours = whole(text, [](JsonReader& reader) { return reader.unsigned_integer(); });
    fuzz::require(ours.has_value() == theirs.is_number_unsigned());
    fuzz::require(!ours || *ours == theirs.get<std::uint64_t>());
  } else {
    using Lists = std::map<std::string, std::vector<std::uint64_t>>;
    const auto ours = whole(text, [](JsonReader& reader) {
      Lists lists;
      reader.object([&](std::string key) {
        auto& list = lists[std::move(key)];
        list.clear();  // of a key that comes twice, the last
        reader.array([&] { list.push_back(reader.unsigned_integer()); });
      });
      return lists;
    });
    fuzz::require(!ours || (theirs.is_object() && theirs.get<Lists>() == *ours));
  }
  return 0;
}
