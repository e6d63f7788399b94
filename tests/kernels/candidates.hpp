// What the tests of kernels share: every set of kernels that this processor can run, and matrices with marked edges.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <eigan/core/view.hpp>
#include <eigan/kernels/dispatch.hpp>

#include "support.hpp"

#define EIGAN_KERNELS <eigan/kernels/vectors.inc>
#include "kernels/sixty_four_bytes.inc"

namespace kernel_tests {

using namespace eigan;

template <class Table>
struct Candidate {
  std::string name;
  const Table* table;
};

/// Every set of one subject's kernels that this processor can run. A test compiles that subject for 64 bytes, too.
template <class Table>
std::vector<Candidate<Table>> candidates() {
  std::vector<Candidate<Table>> all;
  if constexpr (sizeof(typename detail::ScalarOf<Table>::type) == sizeof(float))
    all.push_back({"64-byte vectors", &detail::sixty_four_bytes::TableOf<Table>::table});
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512})
    if (supports(isa)) all.push_back({to_string(isa), &detail::kernels_for<Table>(isa)});
  return all;
}

inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();
inline constexpr double mark = 12345;

// Operands are small whole numbers: every sum is exact, so results can be compared with == whatever the order of the
// additions. A matrix lies in memory with more rows than it has; what is not the matrix is NaN in operands, which
// would spread, and a mark in results, which must survive.
template <class T>
class Padded {
 public:
  Padded(Index rows, Index cols, Index padding, double fill) : memory_(rows + padding, cols + 1), rows_(rows) {
    memory_.setConstant(static_cast<T>(fill));
  }
  Index cols() const { return memory_.cols() - 1; }
  Index stride() const { return memory_.rows(); }
  T* data() { return memory_.data(); }
  View<T> view() { return {memory_.data(), rows_, cols(), stride()}; }
  Matrix<T>& memory() { return memory_; }

 private:
  Matrix<T> memory_;
  Index rows_;
};

template <class T>
Padded<T> operand(Index rows, Index cols, Index padding, std::uint64_t seed) {
  Padded<T> m(rows, cols, padding, nan);
  m.view() = support::random_matrix<double>(rows, cols, seed, -8, 8).array().round().matrix().template cast<T>();
  return m;
}

}  // namespace kernel_tests
