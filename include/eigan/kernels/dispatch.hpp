// kernels<RowKernels<T>>(): one subject's table of kernels, for the processor at hand.
//
// Kernels are everything in eigan whose speed depends on the processor's vector instructions, plain loops over arrays.
// A subject is two files: rows.hpp declares a table of function pointers, rows.inc has their text, which is compiled
// for every instruction set (for_each_isa.inc). Inline code elsewhere never depends on -march, so two translation units
// with different flags agree on what they link. A program compiles the subjects that it includes, double where it is
// used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <eigan/core/types.hpp>
#include <eigan/kernels/isa.hpp>

#define EIGAN_KERNELS <eigan/kernels/vectors.inc>
#include <eigan/kernels/for_each_isa.inc>

namespace eigan::detail {

template <class Table>
struct ScalarOf;
template <template <class> class Kernels, class T>
struct ScalarOf<Kernels<T>> {
  using type = T;
};

/// The kernels for one instruction set; tests compare them with each other.
template <class Table>
const Table& kernels_for(Isa isa) {
#if defined(__x86_64__)
  // double is for checking gradients; a third set of kernels for it would cost every user compile time.
  if constexpr (sizeof(typename ScalarOf<Table>::type) == sizeof(float))
    if (isa == Isa::avx512) return avx512::TableOf<Table>::table;
  if (isa != Isa::portable) return avx2::TableOf<Table>::table;
#endif
  static_cast<void>(isa);
  return portable::TableOf<Table>::table;
}

template <class Table>
const Table& kernels() {
  static const Table& chosen = kernels_for<Table>(active_isa());
  return chosen;
}

}  // namespace eigan::detail

// The kernels take longer to compile than most programs that use them. A program of many translation units can compile
// them in one of them, as it does with a library of the stb kind: that one defines EIGAN_COMPILE_KERNELS before it
// includes <eigan/kernels.hpp>, the others EIGAN_EXTERN_KERNELS. Each subject's header ends with this:
#if defined(EIGAN_COMPILE_KERNELS)
#define EIGAN_SHARE_KERNELS(Kernels)                                 \
  namespace eigan::detail {                                          \
  template const Kernels<float>& kernels_for<Kernels<float>>(Isa);   \
  template const Kernels<double>& kernels_for<Kernels<double>>(Isa); \
  }
#elif defined(EIGAN_EXTERN_KERNELS)
#define EIGAN_SHARE_KERNELS(Kernels)                                        \
  namespace eigan::detail {                                                 \
  extern template const Kernels<float>& kernels_for<Kernels<float>>(Isa);   \
  extern template const Kernels<double>& kernels_for<Kernels<double>>(Isa); \
  }
#else
#define EIGAN_SHARE_KERNELS(Kernels)
#endif
