// Which instruction set the kernels use. Chosen once, when the program first needs a kernel, for the processor it
// runs on; flags such as -march do not matter. EIGAN_FORCE_ISA=portable|avx2|avx512 in the environment overrides.
#pragma once

#include <cstdlib>
#include <string_view>

#include <eigan/core/error.hpp>
#include <eigan/core/printable.hpp>

namespace eigan {

/// The instruction sets that there are kernels for.
enum class Isa {
  portable,  ///< what every processor has
  avx2,      ///< with FMA
  avx512     ///< AVX-512F
};

/// As EIGAN_FORCE_ISA has it.
constexpr const char* to_string(Isa isa) {
  switch (isa) {
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
    case Isa::portable:
      break;
  }
  return "portable";
}

/// Whether this processor (and operating system) can run the kernels for `isa`.
inline bool supports(Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == Isa::avx512) return supports(Isa::avx2) && __builtin_cpu_supports("avx512f") != 0;
#endif
  return isa == Isa::portable;
}

namespace detail {
inline Isa choose_isa() {
  const Isa all[] = {Isa::avx512, Isa::avx2, Isa::portable};
  if (const char* forced = std::getenv("EIGAN_FORCE_ISA")) {
    for (const Isa isa : all) {
      if (std::string_view(forced) != to_string(isa)) continue;
      if (!supports(isa)) fail_data("EIGAN_FORCE_ISA: this processor has no ", to_string(isa));
      return isa;
    }
    fail_data("EIGAN_FORCE_ISA: expected portable, avx2 or avx512, found ", printable(forced));
  }
  for (const Isa isa : all)
    if (supports(isa)) return isa;
  return Isa::portable;
}
}  // namespace detail

/// The instruction set in use.
inline Isa active_isa() {
  static const Isa chosen = detail::choose_isa();
  return chosen;
}

}  // namespace eigan
