// shape_text: a shape as messages and summaries write it.
#pragma once

#include <string>

#include <eigan/core/error.hpp>
#include <eigan/core/shape.hpp>

namespace eigan {

/// "784" for a vector, "3 x 64 x 48" for channels x height x width.
inline std::string shape_text(Shape shape) {
  return shape.is_vector() ? detail::concat(shape.channels)
                           : detail::concat(shape.channels, " x ", shape.height, " x ", shape.width);
}

}  // namespace eigan
