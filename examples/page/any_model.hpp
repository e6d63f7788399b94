// AnyModel: the network in a file, whichever it is: eigan's files say how they are put together.
#pragma once

#include <string>
#include <utility>

#include <eigan/core/error.hpp>
#include <eigan/core/rng.hpp>
#include <eigan/io/network_file.hpp>
#include <eigan/net/model.hpp>

#include "eight_bits.hpp"

namespace page {

using eigan::Index;
using eigan::Matrix;
using AnyModel = eigan::Model<eigan::Network>;

/// eigan::Error if the file holds no network, or not its numbers.
inline AnyModel load_model(eigan::SafetensorsFile stored) {
  const eigan::SafetensorsFile file = in_full(std::move(stored));
  AnyModel model(eigan::load_network(file), eigan::Rng(0));
  eigan::load(file, model);
  return model;
}

/// "1x28x28".
inline std::string text_of(eigan::Shape shape) {
  return eigan::detail::concat(shape.channels, 'x', shape.height, 'x', shape.width);
}

}  // namespace page
