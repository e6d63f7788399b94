#include <doctest/doctest.h>

#include <eigan/core/crowd.hpp>

using eigan::detail::Crowd;

namespace {
constexpr Crowd::Time us = 1000, ms = 1000 * us;

/// A thread that opens regions one after the other.
struct Caller {
  Crowd crowd;
  Crowd::Time at = 1000 * ms;
  /// Two parts of a tenth of a millisecond, for the second of which the caller waits so long.
  void region(Crowd::Time wait) {
    crowd.record(at, at + 100 * us, at + 100 * us + wait, 1, 2);
    at += 100 * us + wait;
  }
  bool alone() const { return crowd.is_felt(at); }
};
}  // namespace

TEST_CASE("Crowd: regions that save are never left") {
  Caller caller;
  CHECK_FALSE(caller.alone());
  for (int i = 0; i < 1000; ++i) {
    caller.region(i % 3 * 30 * us);
    REQUIRE_FALSE(caller.alone());
  }
}

TEST_CASE("Crowd: one late helper among many regions is none") {
  Caller caller;
  for (int i = 0; i < 1000; ++i) {
    caller.region(i % 200 == 0 ? 4 * ms : 0);
    REQUIRE_FALSE(caller.alone());
  }
}

TEST_CASE("Crowd: late helpers send the caller away, each time for twice as long, up to a second") {
  Caller caller;
  Crowd::Time expected = 20 * ms;
  for (int trial = 0; trial < 10; ++trial) {
    CAPTURE(trial);
    do caller.region(4 * ms);
    while (!caller.alone());
    CHECK(caller.crowd.is_felt(caller.at + expected - 1));
    CHECK_FALSE(caller.crowd.is_felt(caller.at + expected));
    caller.at += expected;
    expected = expected < 640 * ms ? 2 * expected : 1000 * ms;
  }
}

TEST_CASE("Crowd: is forgotten when regions save again") {
  Caller caller;
  for (int trial = 0; trial < 4; ++trial) {
    do caller.region(4 * ms);
    while (!caller.alone());
    caller.at += 1000 * ms;
  }
  for (int i = 0; i < 60; ++i) caller.region(0);
  CHECK_FALSE(caller.alone());
  do caller.region(4 * ms);
  while (!caller.alone());
  CHECK(caller.crowd.is_felt(caller.at + 20 * ms - 1));
  CHECK_FALSE(caller.crowd.is_felt(caller.at + 20 * ms));
}

TEST_CASE("Crowd: parts that helpers have not begun are what the caller would compute anyway") {
  Caller caller;
  for (int i = 0; i < 1000; ++i) {
    caller.crowd.record(caller.at, caller.at + 200 * us, caller.at + 200 * us, 2, 2);
    REQUIRE_FALSE(caller.alone());
  }
}
