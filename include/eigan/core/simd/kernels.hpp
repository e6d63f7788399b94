// kernels<T>(): the table of kernels for the processor at hand.
#pragma once

#include <cmath>
#include <cstring>

#include <eigan/core/rng.hpp>
#include <eigan/core/simd/isa.hpp>
#include <eigan/core/simd/kernel_table.hpp>

#define EIGAN_INLINE [[gnu::always_inline]] inline
#define EIGAN_NOINLINE [[gnu::noinline]] inline  // large arrays, which callers shall not carry
#if defined(__clang__)
#define EIGAN_UNROLL _Pragma("unroll")
#define EIGAN_UNROLL_TWICE _Pragma("unroll(2)")
#else
#define EIGAN_UNROLL _Pragma("GCC unroll 16")
#define EIGAN_UNROLL_TWICE _Pragma("GCC unroll 2")
#endif

#define EIGAN_ISA portable
#define EIGAN_TARGET
#define EIGAN_VECTOR_BYTES 16
#include <eigan/core/simd/kernels.inc>

#if defined(__x86_64__)
#define EIGAN_ISA avx2
#define EIGAN_TARGET [[gnu::target("avx2,fma")]]
#define EIGAN_VECTOR_BYTES 32
#define EIGAN_X86_VECTORS
#include <eigan/core/simd/kernels.inc>

#define EIGAN_ISA avx512
#define EIGAN_TARGET [[gnu::target("avx2,fma,avx512f")]]
#define EIGAN_VECTOR_BYTES 64
#define EIGAN_X86_VECTORS
#include <eigan/core/simd/kernels.inc>
#endif

namespace eigan::detail {

/// The kernels for one instruction set; tests compare them with each other.
template <class T>
const KernelTable<T>& kernels_for(Isa isa) {
#if defined(__x86_64__)
  // double is for checking gradients; a third set of kernels for it would cost every user compile time.
  if constexpr (sizeof(T) == sizeof(float))
    if (isa == Isa::avx512) return avx512::table<T>;
  if (isa != Isa::portable) return avx2::table<T>;
#endif
  static_cast<void>(isa);
  return portable::table<T>;
}

template <class T>
const KernelTable<T>& kernels() {
  static const KernelTable<T>& chosen = kernels_for<T>(active_isa());
  return chosen;
}

// The kernels take longer to compile than most programs that use them. A program of many translation units can compile
// them in one of them, as it does with a library of the stb kind: that one defines EIGAN_COMPILE_KERNELS before it
// includes eigan, the others EIGAN_EXTERN_KERNELS.
#if defined(EIGAN_COMPILE_KERNELS)
template const KernelTable<float>& kernels_for<float>(Isa);
template const KernelTable<double>& kernels_for<double>(Isa);
#elif defined(EIGAN_EXTERN_KERNELS)
extern template const KernelTable<float>& kernels_for<float>(Isa);
extern template const KernelTable<double>& kernels_for<double>(Isa);
#endif

}  // namespace eigan::detail

#undef EIGAN_INLINE
#undef EIGAN_NOINLINE
#undef EIGAN_UNROLL
#undef EIGAN_UNROLL_TWICE
