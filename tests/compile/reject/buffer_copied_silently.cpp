// Copying parameters allocates, so it has a name.
// EXPECT: deleted
#include <eigan/core/buffer.hpp>

eigan::Buffer<float> copy(const eigan::Buffer<float>& params) {
#ifdef EIGAN_REJECT
  return params;
#else
  return params.clone();
#endif
}
