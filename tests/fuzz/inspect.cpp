// What eigan_inspect says of a file: text fit for a terminal, and JSON that another parser reads.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "inspect/description.hpp"

#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::accepts([&] {
    const eigan::SafetensorsFile file(fuzz::copy_of({data, size}), "f");
    auto text = inspect::for_people(file);
    std::ranges::replace(text, '\n', ' ');
    fuzz::require(fuzz::is_printable(text));
    const auto json = nlohmann::json::parse(inspect::for_machines(file), nullptr, false);
    fuzz::require(json.is_object() && json.at("tensors").size() == file.tensors().size() &&
                  json.at("metadata").size() == file.metadata().size());
  });
  return 0;
}
