// Parameter: the name, place and shape of one tensor inside a network's flat parameter buffer.
//
// Matrices lie column-major in the buffer (a Linear weight is out x in, so one input feature's weights are contiguous);
// files store them row-major, as PyTorch does, and the file code transposes.
#pragma once

#include <string>

#include <eigan/core/types.hpp>

namespace eigan {

/// One tensor of a network.
struct Parameter {
  std::string name;  ///< as in torch.nn.Sequential: "0.weight"
  Index offset;      ///< of the first element in the flat buffer
  Index rows;        ///< first extent; the length of a vector
  Index cols;        ///< second extent; 1 for a vector
  int rank;          ///< 1 for a vector such as a bias, 2 for a matrix

  /// Its elements.
  Index size() const { return rows * cols; }
};

}  // namespace eigan
