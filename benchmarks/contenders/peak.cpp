// The processor's FMA peak, as a contender: a "step" is fused multiply-adds on all threads for about a millisecond.
// VARIANT: portable, avx2 or avx512; the widest that eigan has and the processor runs unless given.
#include <sstream>
#include <stdexcept>
#include <vector>

#include "../machine.hpp"
#include "../paired/serve.hpp"
#include "options.hpp"

int main(int argc, char** argv) {
  return bench::contender_main(argc, argv, [](const bench::ContenderOptions& options) {
    eigan::Isa isa = eigan::active_isa();
    if (!options.variant.empty()) {
      for (const auto i : {eigan::Isa::portable, eigan::Isa::avx2, eigan::Isa::avx512})
        if (options.variant == eigan::to_string(i)) isa = i;
      if (!eigan::supports(isa) || options.variant != eigan::to_string(isa))
        throw std::invalid_argument("this processor has no " + std::string(options.variant));
    }
    const auto per_thread = [&] { return bench::run_fma(isa, 5e7); };
    std::ostringstream about;
    about << R"({"name": "FMA peak", "flop": )" << per_thread() * options.threads << R"(, "isa": ")"
          << eigan::to_string(isa) << R"("})";
    return bench::serve(about.str(),
                        [&] { eigan::detail::parallel(options.threads, [&](int, int) { per_thread(); }); });
  });
}
