// Unflatten: a vector in PyTorch's order (C, H, W) as an image, the inverse of Flatten; see layers/flatten.hpp.
#pragma once

#include <string>

#include <eigan/core/checked.hpp>
#include <eigan/layers/flatten.hpp>

namespace eigan {

/// A vector as an image: `Unflatten<64, 7, 7>`, or `Unflatten<>(64, 7, 7)`, of channels, height and width.
template <Index Channels = dynamic, Index Height = (Channels == dynamic ? dynamic : 0),
          Index Width = detail::width_beside(Height)>
class Unflatten {
  static_assert((Channels > 0 && Height > 0 && Width > 0) ||
                    (Channels == dynamic && Height == dynamic && Width == dynamic),
                "eigan::Unflatten: channels, height and width are positive, or dynamic all three");

 public:
  /// The shape that the type states.
  constexpr Unflatten() requires(Channels != dynamic) : image_{Channels, Height, Width} {}
  /// Throws std::invalid_argument unless all are positive, their product is below 2^31, and the shape is that of the
  /// type where it has one.
  Unflatten(Index channels, Index height, Index width) : image_{channels, height, width} {
    Index size = 0;
    if (!image_ || !checked_mul(channels, height, size) || !checked_mul(size, width, size) || size > most_size ||
        (Channels != dynamic && image_ != Shape{Channels, Height, Width}))
      detail::fail_contract("eigan::Unflatten<", detail::stated_text(Channels), ", ", detail::stated_text(Height), ", ",
                            detail::stated_text(Width), ">: cannot have the shape ", channels, " x ", height, " x ",
                            width, ", expected positive sizes with a product below 2^31 and what the type states");
  }

  constexpr Shape output_shape(Shape in) const { return in == Shape{image_.size()} ? image_ : Shape{}; }
  std::string expects() const { return detail::concat(image_.size(), " features"); }
  Spec spec() const { return at({}).spec(); }
  /// The layer; the input's shape follows from the image's.
  placed::Reorder at(Shape) const { return {image_, false}; }

 private:
  Shape image_;
};

}  // namespace eigan
