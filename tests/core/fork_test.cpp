#include <doctest/doctest.h>
#include <atomic>

#include <eigan/core/fork.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

#include "engines.hpp"
#include "support.hpp"

#if __has_include(<unistd.h>) && __has_include(<sys/wait.h>)
#include <sys/wait.h>
#include <unistd.h>

using namespace eigan;

namespace {
/// What f() returns in a child, 0 to 255; a child that is still at it after a minute hangs, and its alarm ends it.
template <class F>
int in_child(const F& f) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    alarm(60);
    _exit(f());
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
int regions_of_two() {
  std::atomic<int> threads{0};
  detail::parallel(detail::usable_threads({2}, 1e9), [&](int, int of) { threads = of; });
  return threads;
}
}  // namespace

TEST_CASE("fork: a child of a parent with threads answers, with the same bits, and so does its own child") {
  const Model<Sequential<Linear<200, 300>>> model(Rng(1));
  const Matrix<float> x = support::random_matrix<float>(200, 100, 2);
  support::on_each_engine([&] {
    [[maybe_unused]] static const int before_threads = in_child(regions_of_two);  // this program has one thread yet
    const int in_parent = regions_of_two();
#if defined(_OPENMP) && __has_include(<sys/single_threaded.h>)
    CHECK(before_threads == in_parent);  // such a child keeps the right to threads
#else
    CHECK(before_threads <= in_parent);
#endif
    const Matrix<float> y = model.infer(x, Threads{2});
    const auto answers = [&] { return model.infer(x, Threads{2}) == y && model.infer(x) == y ? 42 : 1; };
    CHECK(answers() == 42);
    CHECK(in_child(answers) == 42);
    CHECK(in_child([&] { return answers() == 42 ? in_child(answers) : 2; }) == 42);
    CHECK_FALSE(detail::helpers_lost());
    CHECK(regions_of_two() == in_parent);
    if (active_engine() == Engine::pool) CHECK(in_child(regions_of_two) == 2);
  });
}
#endif
