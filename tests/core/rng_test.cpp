#include <doctest/doctest.h>
#include <set>

#include <eigan/core/rng.hpp>

using eigan::Rng;

// Known answers of the authors' own implementation (Random123, kat_vectors, philox 4x32 10).
TEST_CASE("Rng: Philox4x32-10 known answers") {
  CHECK(Rng(0).block(0, 0) == Rng::Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(Rng(~0ull).block(~0ull, ~0ull) == Rng::Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(Rng(0x299f31d0'a4093822ull).block(0x85a308d3'243f6a88ull, 0x03707344'13198a2eull) ==
        Rng::Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("Rng: streams differ by id and by order of ids") {
  std::set<std::uint64_t> keys;
  for (std::uint64_t a = 0; a < 20; ++a)
    for (std::uint64_t b = 0; b < 20; ++b) keys.insert(Rng(1).fold_in(a).fold_in(b).key());
  CHECK(keys.size() == 400);
}

TEST_CASE("Rng: a word does not depend on its neighbours and uniform stays in [0, 1)") {
  const Rng rng(7);
  CHECK(rng.word(0, 3) == rng.block(0, 3)[0]);
  CHECK(rng.word(1, 3) == rng.block(1, 3)[0]);
  CHECK(rng.word(8, 3) == rng.block(0, 3)[1]);
  CHECK(rng.word(33, 3) == rng.block(9, 3)[0]);
  double sum = 0;
  for (eigan::Index i = 0; i < 10000; ++i) {
    const double u = rng.uniform(i, 0);
    REQUIRE(u >= 0.0);
    REQUIRE(u < 1.0);
    sum += u;
  }
  CHECK(sum / 10000 == doctest::Approx(0.5).epsilon(0.02));
}
