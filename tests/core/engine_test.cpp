#include <doctest/doctest.h>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <eigan/core/engine.hpp>
#include <eigan/core/parallel.hpp>

#include "engines.hpp"

using namespace eigan;

namespace {
/// The environment's wish for the time of a test.
class Wish {
 public:
  explicit Wish(const char* engine) {
    if (const char* before = std::getenv(name)) before_ = before, had_one_ = true;
    if (engine != nullptr)
      setenv(name, engine, 1);
    else
      unsetenv(name);
  }
  ~Wish() {
    if (had_one_)
      setenv(name, before_.c_str(), 1);
    else
      unsetenv(name);
  }
  Wish(const Wish&) = delete;
  Wish& operator=(const Wish&) = delete;

 private:
  static constexpr const char* name = "EIGAN_ENGINE";
  std::string before_;
  bool had_one_ = false;
};
}  // namespace

TEST_CASE("Engine: the first call that wants threads refuses what the environment asks for in vain") {
  for (const char* engine : {"tbb", "openmp"}) {  // before another test has had it chosen, once for all
    if (supports(Engine::openmp) && std::string(engine) == "openmp") continue;
    const Wish wish(engine);
    CHECK_THROWS_AS(thread_count(), Error);
  }
}

TEST_CASE("Engine: OpenMP where the program is compiled with it, the pool everywhere") {
  const Wish nothing(nullptr);
  CHECK(supports(Engine::pool));
#if defined(_OPENMP)
  CHECK(detail::choose_engine() == Engine::openmp);
#else
  CHECK(detail::choose_engine() == Engine::pool);
#endif
}

TEST_CASE("Engine: EIGAN_ENGINE is obeyed where the program can") {
  for (const Engine engine : {Engine::openmp, Engine::pool}) {
    const Wish wish(to_string(engine));
    CAPTURE(std::string(to_string(engine)));
    if (supports(engine))
      CHECK(detail::choose_engine() == engine);
    else
      CHECK_THROWS_WITH_AS(detail::choose_engine(), "EIGAN_ENGINE: this program has no OpenMP", Error);
  }
}

TEST_CASE("Engine: another word in EIGAN_ENGINE is an error that names it and the choices") {
  const Wish wish("tbb");
  CHECK_THROWS_WITH_AS(detail::choose_engine(), "EIGAN_ENGINE: expected openmp or pool, found tbb", Error);
}

TEST_CASE("Engine: set_engine changes it from the next call on, and refuses what the program lacks") {
  const Engine before = active_engine();
  for (const Engine engine : {Engine::openmp, Engine::pool}) {
    if (!supports(engine)) {
      CHECK_THROWS_WITH_AS(set_engine(engine), "eigan::set_engine: this program has no OpenMP", std::invalid_argument);
      continue;
    }
    const support::OnEngine on(engine);
    CHECK(active_engine() == engine);
#if defined(_OPENMP)
    bool by_openmp = false;
    support::on_each_thread(2, [&](int part) {
      if (part == 0) by_openmp = omp_get_level() > 0;
    });
    CHECK(by_openmp == (engine == Engine::openmp));
#endif
  }
  CHECK(active_engine() == before);
}
