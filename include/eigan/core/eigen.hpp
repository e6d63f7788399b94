// Eigen, as eigan's headers include it. In g++ 12's header of AVX-512 intrinsics a vector is initialised with itself
// (GCC's bug 105593), which is reported, as maybe-uninitialized, wherever Eigen's code is inlined. So that header comes
// first here, with the warning off for its own lines alone.
#pragma once

#if defined(__AVX512F__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ == 12
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif
#include <Eigen/Core>
