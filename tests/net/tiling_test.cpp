#include <doctest/doctest.h>
#include <vector>

#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/tiling.hpp>

using namespace eigan;
using detail::Tiling;

namespace {

template <class T>
Tiling tiling(std::vector<Index> sizes) {
  Steps<T> net({Shape{sizes[0]}});
  for (std::size_t i = 1; i < sizes.size(); ++i) net.add(Linear<>(sizes[i - 1], sizes[i]), i - 1, "layer");
  return Tiling(net);
}

}  // namespace

TEST_CASE("Tiling: 32 samples, more where weights fill a cache, fewer where samples do") {
  CHECK(tiling<float>({100, 30}).widest() == 32);
  CHECK(tiling<float>({600, 600}).widest() == 128);  // 1.4 MB of weights
  CHECK(tiling<double>({400, 400}).widest() == 128);
  CHECK(tiling<float>({100000, 1}).widest() == 2);
  CHECK(tiling<float>({2000000, 1}).widest() == 1);
}

TEST_CASE("Tiling: a batch is shared in whole groups of eight columns, up to the widest tile") {
  const Tiling t = tiling<float>({100, 30});
  CHECK(t.width(100, 1) == 32);
  CHECK(t.width(46, 2) == 24);  // 23 rounded up
  CHECK(t.width(16, 2) == 8);
  CHECK(t.width(1, 4) == 8);
  CHECK(t.width(1000, 8) == 32);
  CHECK(Tiling::count(100, 32) == 4);
  CHECK(Tiling::count(96, 32) == 3);
  CHECK(Tiling::count(1, 8) == 1);
  CHECK(Tiling::count(0, 8) == 0);
}

TEST_CASE("Tiling: threads have as many tiles where a thread's share is more than the widest") {
  const Tiling t = tiling<float>({13000, 1});  // large images
  CHECK(t.widest() == 20);
  CHECK(t.width(64, 2) == 16);  // 20, 20, 20 and 4 would be 40 samples for one thread and 24 for the other
  CHECK(t.width(66, 2) == 17);  // 17 rounded up would be more than the widest
  CHECK(t.width(40, 2) == 20);
  CHECK(t.width(80, 4) == 20);
  CHECK(t.width(64, 1) == 16);
}

TEST_CASE("Tiling: no thread waits for a rounded tile") {
  const Tiling t = tiling<float>({100, 30});
  CHECK(t.width(100, 2) == 25);  // 32, 32, 32 and 4 would be 64 samples for one thread and 36 for the other
  CHECK(t.width(33, 2) == 17);   // 24 and 9
  CHECK(t.width(200, 2) == 25);  // 128 and 72
  CHECK(t.width(16, 4) == 8);    // but nobody is given less than products compute together:
  CHECK(t.width(12, 16) == 8);   // a few samples on many threads are by parts
  CHECK(t.width(64, 16) == 8);
  CHECK(t.width(120, 2) == 32);  // 64 and 56: not much more than 60 each
}

TEST_CASE("Tiling: the work of a pass is that of all steps") {
  Steps<float> net({Shape{100}});
  net.add(Linear<100, 30>(), 0, "a");
  net.add(Tanh(), 1, "b");
  const double sample = net.steps()[0].operations + net.steps()[1].operations;
  CHECK(Tiling(net).work(7) == 7 * sample);
}
