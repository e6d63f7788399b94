// Height and width go together: Input<3, 8> could be meant for 3 x 8 x 8 or for 3 x 8 x 1.
// EXPECT: eigan::Input: height and width go together
#include <eigan/net/input.hpp>

#ifdef EIGAN_REJECT
using Image = eigan::Input<3, 8>;
#else
using Image = eigan::Input<3, 8, 8>;
#endif

eigan::Index pixels() {
  return Image{}.shape().pixels();
}
