// A network made from text, and from a model file that states one. What is accepted can say what it is, and a network
// made of that is the same; a file states just these words.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include <eigan/io/network_file.hpp>
#include <eigan/io/safetensors.hpp>
#include <eigan/net/runtime/network.hpp>
#include <eigan/net/steps.hpp>

#include "fuzz.hpp"

namespace {

using eigan::Network;

template <class Make>
std::optional<Network> made(const Make& make) {
  std::optional<Network> net;
  fuzz::accepts([&] { net = make(); });
  return net;
}

std::string text_of(const Network& net) {
  std::string text;
  for (const eigan::Spec& layer : net.spec().children) text += (text.empty() ? "" : ", ") + layer.text();
  return text;
}
eigan::Steps<float> steps_of(const Network& net) {
  eigan::Steps<float> steps(net.input_shapes());
  net.append(steps, 0, "");
  return steps;
}

void check(const Network& net) {
  const auto again = made([&] { return Network::from_text(text_of(net)); });
  fuzz::require(again && text_of(*again) == text_of(net));
  const auto steps = steps_of(net), same = steps_of(*again);
  fuzz::require(eigan::detail::same_layout(steps, same) && steps.param_size() == same.param_size());
  fuzz::require(std::ranges::all_of(steps.levels(), [](const auto& level) { return static_cast<bool>(level); }));
  fuzz::require(steps.param_size() >= 0);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto net = made([&] { return Network::from_text(text); })) check(*net);
  if (const auto net = made([&] {
        const eigan::SafetensorsFile file(fuzz::copy_of({data, size}), "f");
        Network read = eigan::load_network(file);
        fuzz::require(text_of(read) == file.metadata().at("architecture"));
        return read;
      }))
    check(*net);
  return 0;
}
