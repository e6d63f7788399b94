// Recipe: how a recogniser is trained. All recipes train the same network; they differ in how long. They were chosen by
// what the last 10,000 training images said of trainings on the others (`--held-out 10000`).
#pragma once

#include <array>
#include <string_view>

#include <eigan/core/types.hpp>
#include "random_warp.hpp"

namespace mnist_recogniser {

struct Recipe {
  std::string_view name;
  double epochs;   ///< passes over the images, a part of one as well
  double warp;     ///< how far each image is warped anew each time it is seen: 1 as WarpOptions says, 0 not at all
  double average;  ///< decay of the moving average of the weights, which is what is kept
  eigan::Index batch = 128;
  double lr = 0.01;      ///< Adam's, at its highest
  double beta2 = 0.99;   ///< Adam's
  double warm_up = 0.2;  ///< the part of the steps in which the rate rises to that; then it falls as a cosine does
  double mirror = 0;     ///< how probable it is that an image is mirrored: garments may be, digits not
  double dropout = 0;    ///< of what goes into the dense layers

  WarpOptions warps() const {
    const WarpOptions full;
    return {full.degrees * warp, full.scale * warp, full.shear * warp, full.shift * warp, full.bend * warp, mirror};
  }
};

inline constexpr std::array recipes{
    Recipe{"quick", 0.75, 0, 0.98},
    Recipe{"short", 3, 1, 0.995},
    Recipe{"default", 10, 1, 0.998},
    Recipe{"long", 40, 1, 0.999},
};
inline constexpr const Recipe& default_recipe = recipes[2];

}  // namespace mnist_recogniser
