// A part of a state is filled after all have been named, so it must still be there.
// EXPECT: a part of a state must outlive the call
#include <cstdint>

#include <eigan/io/checkpoint.hpp>

void save(std::int64_t step) {
  eigan::save_checkpoint("f", [&](auto visit) {
#ifdef EIGAN_REJECT
    visit("step", step + 1);
#else
    visit("step", step);
#endif
  });
}
