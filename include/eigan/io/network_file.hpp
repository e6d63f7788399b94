// load_network: the network that a model file states, put together at run time. Its parameters are then read by load():
//
//   Model model(load_network("digits.safetensors"), Rng(1));
//   load("digits.safetensors", model);
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/parameter.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/io/model_file.hpp>
#include <eigan/io/safetensors.hpp>
#include <eigan/net/runtime/layer_registry.hpp>
#include <eigan/net/runtime/network.hpp>
#include <eigan/net/steps.hpp>

namespace eigan {

/// Error if the file states no network, one in other words than the network's own, or if its tensors are not those of
/// such a network. Nothing is allocated for the sizes that the text states.
inline Network load_network(const SafetensorsFile& file, const LayerRegistry& layers = {}) {
  const auto found = file.metadata().find("architecture");
  if (found == file.metadata().end())
    detail::fail_data(file.name(), ": expected the metadata 'architecture', found none");
  const std::string& stated = found->second;
  Network net = Network::from_text(stated, layers, file.name() + ": architecture");

  Steps<float> steps(net.input_shapes());
  net.append(steps, 0, "");
  std::vector<Parameter> tensors = steps.parameters();
  for (Parameter& state : steps.states()) tensors.push_back(std::move(state));
  detail::find_tensors(file.name(), detail::name_tensors(std::span(&file, 1), {}), tensors);

  std::string own;
  for (const Spec& layer : net.spec().children) own += (own.empty() ? "" : ", ") + layer.text();
  if (own != stated)
    detail::fail_data(file.name(), ": architecture: expected '", printable(own), "', found '", printable(stated), "'");
  return net;
}
#if defined(EIGAN_HAS_FILES)
/// The network of the file at a path; Error also if the file cannot be read.
inline Network load_network(const std::filesystem::path& path, const LayerRegistry& layers = {}) {
  return load_network(SafetensorsFile::read(path), layers);
}
#endif

}  // namespace eigan
