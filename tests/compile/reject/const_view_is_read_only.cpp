// EXPECT: discards qualifiers|no viable overloaded '='|assignment of read-only|use of deleted function
#include <eigan/core/view.hpp>

void write(eigan::ConstView<float> x, eigan::View<float> y) {
#ifdef EIGAN_REJECT
  x = y;
#else
  y = x;
#endif
}
