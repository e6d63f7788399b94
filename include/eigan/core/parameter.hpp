// Parameter: the name, place and shape of one tensor inside a network's flat parameter buffer, or of its state.
//
// In the buffer it is a matrix, column by column (a Linear weight is out x in, so one input feature's weights are
// contiguous; a convolution's is out x (kernel kernel in)). A file has PyTorch's extents, the last one running fastest;
// where they are not the matrix's own, `shape` and `strides` say which element goes where.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <eigan/core/types.hpp>

namespace eigan {

/// One tensor of a network.
struct Parameter {
  std::string name;                 ///< as in torch.nn.Sequential: "0.weight"
  Index offset;                     ///< of the first element in the flat buffer
  Index rows;                       ///< first extent in the buffer; the length of a vector
  Index cols;                       ///< second extent in the buffer; 1 for a vector
  int rank;                         ///< in the buffer: 0 for a number, 1 for a vector such as a bias, 2 for a matrix
  std::vector<Index> shape = {};    ///< in a file, if not the rank's first extents of (rows, cols)
  std::vector<Index> strides = {};  ///< with `shape`: how far apart in the buffer neighbours along each extent lie
  bool integer = false;             ///< whether files hold it as an int64

  /// Its elements.
  Index size() const { return rows * cols; }

  /// The extents in a file.
  std::vector<Index> file_shape() const {
    if (!shape.empty()) return shape;
    if (rank == 0) return {};
    return rank == 1 ? std::vector<Index>{rows} : std::vector<Index>{rows, cols};
  }
  /// f(place in the buffer, counted from the tensor's first element) for each element in the file's order.
  template <class F>
  void for_each_in_file_order(F&& f) const {
    const std::vector<Index> extents = file_shape();
    const std::vector<Index> steps = shape.empty() ? std::vector<Index>{1, rows} : strides;
    for (const Index extent : extents)
      if (extent == 0) return;
    std::vector<Index> at(extents.size(), 0);
    for (Index place = 0;;) {
      f(place);
      std::size_t axis = extents.size();
      for (; axis > 0; --axis) {
        place += steps[axis - 1];
        if (++at[axis - 1] < extents[axis - 1]) break;
        place -= extents[axis - 1] * steps[axis - 1];
        at[axis - 1] = 0;
      }
      if (axis == 0) return;
    }
  }
};

}  // namespace eigan
