#include <doctest/doctest.h>
#include <cstdlib>
#include <string>

#include <eigan/kernels/isa.hpp>

using namespace eigan;

namespace {
/// The environment's wish for the time of a test.
class Forced {
 public:
  explicit Forced(const char* isa) {
    if (const char* before = std::getenv(name)) before_ = before, had_one_ = true;
    if (isa)
      setenv(name, isa, 1);
    else
      unsetenv(name);
  }
  ~Forced() {
    if (had_one_)
      setenv(name, before_.c_str(), 1);
    else
      unsetenv(name);
  }
  Forced(const Forced&) = delete;
  Forced& operator=(const Forced&) = delete;

 private:
  static constexpr const char* name = "EIGAN_FORCE_ISA";
  std::string before_;
  bool had_one_ = false;
};
}  // namespace

TEST_CASE("Isa: each instruction set has the name that forces it") {
  CHECK(std::string(to_string(Isa::portable)) == "portable");
  CHECK(std::string(to_string(Isa::avx2)) == "avx2");
  CHECK(std::string(to_string(Isa::avx512)) == "avx512");
}

TEST_CASE("Isa: portable code runs everywhere, and a wider set means the narrower ones too") {
  CHECK(supports(Isa::portable));
  CHECK((!supports(Isa::avx512) || supports(Isa::avx2)));
  CHECK(supports(active_isa()));
}

TEST_CASE("Isa: without a wish the widest that the processor has") {
  const Forced nothing(nullptr);
  const Isa widest = supports(Isa::avx512) ? Isa::avx512 : supports(Isa::avx2) ? Isa::avx2 : Isa::portable;
  CHECK(detail::choose_isa() == widest);
}

TEST_CASE("Isa: EIGAN_FORCE_ISA is obeyed where the processor can") {
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
    const Forced forced(to_string(isa));
    CAPTURE(std::string(to_string(isa)));
    if (supports(isa))
      CHECK(detail::choose_isa() == isa);
    else
      CHECK_THROWS_AS(detail::choose_isa(), Error);
  }
}

TEST_CASE("Isa: another word in EIGAN_FORCE_ISA is an error that names it and the choices") {
  const Forced forced("sse9\n");
  CHECK_THROWS_WITH_AS(detail::choose_isa(), "EIGAN_FORCE_ISA: expected portable, avx2 or avx512, found sse9\\x0a",
                       Error);
}
