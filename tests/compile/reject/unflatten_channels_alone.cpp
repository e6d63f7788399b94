// An image's height and width do not follow from its channels.
// EXPECT: eigan::Unflatten: channels, height and width are positive
#include <eigan/layers/unflatten.hpp>

#ifdef EIGAN_REJECT
using Image = eigan::Unflatten<7>;
#else
using Image = eigan::Unflatten<7, 7, 7>;
#endif

eigan::Index size() {
  return Image{}.output_shape({343}).size();
}
