// EXPECT: eigan::Linear: sizes are positive or dynamic
#include <eigan/layers/linear.hpp>

#ifdef EIGAN_REJECT
eigan::Index size() {
  return eigan::Linear<784, -128>(784, 128).param_size();
}
#else
eigan::Index size() {
  return eigan::Linear<784, 128>(784, 128).param_size();
}
#endif
