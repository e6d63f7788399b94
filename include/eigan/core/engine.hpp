// Engine: who lends a call its threads. OpenMP where a program is compiled with it, else eigan's own pool of standard
// threads (core/pool.hpp). EIGAN_ENGINE=openmp|pool in the environment chooses, and so does set_engine(). Results do
// not depend on it, to the last bit.
#pragma once

#include <atomic>
#include <cstdlib>
#include <string_view>

#include <eigan/core/error.hpp>
#include <eigan/core/printable.hpp>

namespace eigan {

/// What there is; see docs/guide.md for when to take which.
enum class Engine {
  openmp,  ///< a region waits for all its threads
  pool     ///< a region waits for nobody who has not begun
};

/// As EIGAN_ENGINE has it.
constexpr const char* to_string(Engine engine) {
  return engine == Engine::openmp ? "openmp" : "pool";
}

/// Whether this program has it.
constexpr bool supports(Engine engine) {
#if defined(_OPENMP)
  static_cast<void>(engine);
  return true;
#else
  return engine == Engine::pool;
#endif
}

namespace detail {

inline std::atomic<int> engine_set{-1};  // by set_engine

inline Engine choose_engine() {
  const Engine all[] = {Engine::openmp, Engine::pool};
  if (const char* named = std::getenv("EIGAN_ENGINE")) {
    for (const Engine engine : all) {
      if (std::string_view(named) != to_string(engine)) continue;
      if (!supports(engine)) fail_data("EIGAN_ENGINE: this program has no OpenMP");
      return engine;
    }
    fail_data("EIGAN_ENGINE: expected openmp or pool, found ", printable(named));
  }
  return supports(Engine::openmp) ? Engine::openmp : Engine::pool;
}

}  // namespace detail

/// The one in use.
inline Engine active_engine() {
  const int set = detail::engine_set.load(std::memory_order_relaxed);
  if (set >= 0) return static_cast<Engine>(set);
  static const Engine chosen = detail::choose_engine();
  return chosen;
}

/// Takes another from the next call on, whatever the environment says. Throws std::invalid_argument where the program
/// does not have it.
inline void set_engine(Engine engine) {
  if (!supports(engine)) detail::fail_contract("eigan::set_engine: this program has no OpenMP");
  detail::engine_set.store(static_cast<int>(engine), std::memory_order_relaxed);
}

}  // namespace eigan
