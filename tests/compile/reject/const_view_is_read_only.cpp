// EXPECT(GNU): passing .const eigan::ConstView<float>. as .this. argument discards qualifiers|use of deleted function
// EXPECT(Clang): deleted|no viable overloaded
#include <eigan/core/view.hpp>

void write(eigan::ConstView<float> x, eigan::View<float> y) {
#ifdef EIGAN_REJECT
  x = y;
#else
  y = x;
#endif
}
