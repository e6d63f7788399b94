// A network made from text, and from a model file that states one. What is accepted can say what it is, and a network
// made of that is the same; a file states just these words.
#include <algorithm>
#include <optional>
#include <string_view>

#include <eigan/io/safetensors.hpp>
#include <eigan/net/network.hpp>

#include "fuzz.hpp"

namespace {

using eigan::Network;

template <class Make>
std::optional<Network> made(const Make& make) {
  std::optional<Network> net;
  fuzz::accepts([&] { net = make(); });
  return net;
}

void check(const Network& net) {
  const auto again = made([&] { return Network::from_text(net.architecture()); });
  fuzz::require(again && again->architecture() == net.architecture() && again->layout() == net.layout());
  fuzz::require(std::ranges::all_of(net.layout(), [](const auto& level) { return level.features >= 1; }));
  fuzz::require(again->param_size() == net.param_size() && net.param_size() >= 0);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto net = made([&] { return Network::from_text(text); })) check(*net);
  if (const auto net = made([&] {
        const eigan::SafetensorsFile file(fuzz::copy_of({data, size}), "f");
        Network read = Network::from_file(file);
        fuzz::require(read.architecture() == file.metadata().at("architecture"));
        return read;
      }))
    check(*net);
  return 0;
}
