// EXPECT: eigan::Sequential: needs at least one layer
#include <eigan/layers/tanh.hpp>
#include <eigan/net/sequential.hpp>

#ifdef EIGAN_REJECT
std::size_t depth() {
  return eigan::Sequential<>::depth();
}
#else
std::size_t depth() {
  return eigan::Sequential<eigan::Tanh>::depth();
}
#endif
