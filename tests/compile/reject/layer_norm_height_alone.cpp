// Height and width go together.
// EXPECT: eigan::LayerNorm: height and width go together
#include <eigan/layers/layer_norm.hpp>

#ifdef EIGAN_REJECT
using Norm = eigan::LayerNorm<3, 8>;
#else
using Norm = eigan::LayerNorm<3, 8, 8>;
#endif

eigan::Index pixels() {
  return Norm{}.shape().pixels();
}
