// A Linear whose type does not say its sizes must be told them.
// EXPECT(GNU): no matching function for call to .eigan::Linear<>::Linear\(\)
// EXPECT(Clang): no matching constructor for initialization of .eigan::Linear<>
// EXPECT: dynamic
#include <eigan/layers/linear.hpp>

#ifdef EIGAN_REJECT
eigan::Index size() {
  return eigan::Linear<>().param_size();
}
#else
eigan::Index size() {
  return eigan::Linear<>(784, 128).param_size();
}
#endif
