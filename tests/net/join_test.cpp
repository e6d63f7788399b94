#include <doctest/doctest.h>
#include <cstddef>
#include <limits>
#include <vector>

#include <eigan/net/join.hpp>

#include "support.hpp"

using namespace eigan;

namespace {

constexpr float unset = std::numeric_limits<float>::quiet_NaN();

/// x's columns two rows apart, so that a join that forgets the stride is found; `rest` between them.
struct Padded {
  Matrix<float> memory;
  explicit Padded(const Matrix<float>& x, float rest = 77)
      : memory(Matrix<float>::Constant(x.rows() + 2, x.cols(), rest)) {
    memory.topRows(x.rows()) = x;
  }
  View<float> view() { return {memory.data(), memory.rows() - 2, memory.cols(), memory.rows()}; }
  bool intact() const { return (memory.bottomRows(2).array() == 77).all(); }
};

/// The join of inputs of these shapes, all padded, and its way back from dy.
struct Joined {
  Steps<float> net;
  std::vector<Padded> x, dx;
  Padded y;

  Joined(bool sum, const std::vector<Shape>& shapes, const std::vector<Matrix<float>>& inputs)
      : net(shapes), y(Matrix<float>()) {
    std::vector<std::size_t> levels;
    for (std::size_t i = 0; i < shapes.size(); ++i) levels.push_back(i), x.emplace_back(inputs[i]);
    sum ? net.sum(levels, "sum") : net.concatenate(levels, "channels");
    y = Padded(Matrix<float>::Constant(net.levels().back().size(), inputs[0].cols(), unset));
    detail::join<float>(net, net.steps()[0], y.view(),
                        [&](std::size_t level) { return ConstView<float>(x[level].view()); });
    CHECK(y.intact());
  }
  void backward(const Matrix<float>& dy, float start, bool adds, std::size_t unwanted = 99) {
    dx.clear();
    for (Padded& some : x) dx.emplace_back(Matrix<float>::Constant(some.view().rows(), some.view().cols(), start));
    Padded from(dy);
    detail::join_backward<float>(
        net, net.steps()[0], from.view(),
        [&](std::size_t read) { return read == unwanted ? View<float>() : dx[read].view(); },
        [&](std::size_t) { return adds; });
    for (const Padded& some : dx) CHECK(some.intact());
  }
};

}  // namespace

TEST_CASE("join: a sum, and its way back to all that it read") {
  const Matrix<float> a{{1, 2}, {3, 4}, {5, 6}}, b = 10 * a, c = 100 * a, dy{{7, 8}, {9, 1}, {2, 3}};
  Joined sum(true, {{3}, {3}, {3}}, {a, b, c});
  CHECK(sum.y.view() == 111 * a);
  sum.backward(dy, unset, false);
  for (auto& dx : sum.dx) CHECK(dx.view() == dy);
  sum.backward(dy, 5, true);
  for (auto& dx : sum.dx) CHECK(dx.view() == Matrix<float>(dy.array() + 5));
  sum.backward(dy, 5, true, 1);
  CHECK(sum.dx[0].view() == Matrix<float>(dy.array() + 5));
  CHECK((sum.dx[1].view().array() == 5).all());
}

TEST_CASE("join: a sum over the last level that it reads, and dy handed down as it is") {
  Steps<float> net({Shape{2}, Shape{2}});
  net.sum({0, 1}, "sum");
  Matrix<float> a{{1}, {2}}, b{{10}, {20}};
  detail::join<float>(net, net.steps()[0], b, [&](std::size_t level) { return ConstView<float>(level == 0 ? a : b); });
  CHECK(b == Matrix<float>{{11}, {22}});
  Matrix<float> dy{{3}, {4}};
  detail::join_backward<float>(
      net, net.steps()[0], dy, [&](std::size_t read) { return View<float>(read == 0 ? a : dy); },
      [](std::size_t) { return false; });
  CHECK(a == Matrix<float>{{3}, {4}});
  CHECK(dy == a);
}

TEST_CASE("join: vectors side by side") {
  const Matrix<float> a{{1, 2}, {3, 4}}, b{{5, 6}};
  Joined channels(false, {{2}, {1}}, {a, b});
  CHECK(channels.y.view() == Matrix<float>{{1, 2}, {3, 4}, {5, 6}});
  const Matrix<float> dy{{7, 8}, {9, 1}, {2, 3}};
  channels.backward(dy, unset, false);
  CHECK(channels.dx[0].view() == dy.topRows(2));
  CHECK(channels.dx[1].view() == dy.bottomRows(1));
  channels.backward(dy, 5, true, 0);
  CHECK((channels.dx[0].view().array() == 5).all());
  CHECK(channels.dx[1].view() == Matrix<float>{{7, 8}});
}

TEST_CASE("join: images side by side, pixel by pixel") {
  // 1 x 2 pixels of 2 and of 1 channels: a1 a2 b1 | a3 a4 b2.
  Matrix<float> a(4, 1), b(2, 1), y(6, 1);
  a << 1, 2, 3, 4;
  b << 10, 20;
  y << 1, 2, 10, 3, 4, 20;
  Joined channels(false, {{2, 1, 2}, {1, 1, 2}}, {a, b});
  CHECK(channels.y.view() == y);
  CHECK(channels.net.levels().back() == Shape{3, 1, 2});
  for (const bool adds : {false, true}) {
    channels.backward(y, adds ? 100 : unset, adds);
    CHECK(channels.dx[0].view() == Matrix<float>(a.array() + (adds ? 100 : 0)));
    CHECK(channels.dx[1].view() == Matrix<float>(b.array() + (adds ? 100 : 0)));
  }
}

TEST_CASE("join: a vector stands at every pixel of an image, in front of it or behind, and gets the sum") {
  const Matrix<float> image = support::random_matrix<float>(2 * 6, 3, 1),
                      vector = support::random_matrix<float>(3, 3, 2);
  for (const bool first : {false, true}) {
    CAPTURE(first);
    const Shape of_image{2, 2, 3}, of_vector{3};
    Joined channels = first ? Joined(false, {of_vector, of_image}, {vector, image})
                            : Joined(false, {of_image, of_vector}, {image, vector});
    CHECK(channels.net.levels().back() == Shape{5, 2, 3});
    const View<float> y = channels.y.view();
    for (Index pixel = 0; pixel < 6; ++pixel) {
      CHECK(y.middleRows(5 * pixel + (first ? 0 : 2), 3) == vector);
      CHECK(y.middleRows(5 * pixel + (first ? 3 : 0), 2) == image.middleRows(2 * pixel, 2));
    }
    const Matrix<float> dy = support::random_matrix<float>(30, 3, 3);
    Matrix<float> sum = Matrix<float>::Zero(3, 3);
    for (Index pixel = 0; pixel < 6; ++pixel) sum += dy.middleRows(5 * pixel + (first ? 0 : 2), 3);
    channels.backward(dy, unset, false);
    CHECK(channels.dx[first ? 0 : 1].view() == sum);
    for (Index pixel = 0; pixel < 6; ++pixel)
      CHECK(channels.dx[first ? 1 : 0].view().middleRows(2 * pixel, 2) ==
            dy.middleRows(5 * pixel + (first ? 3 : 0), 2));
    channels.backward(dy, 100, true);
    CHECK((channels.dx[first ? 0 : 1].view() - sum).array().isApproxToConstant(100, 1e-5f));
  }
}

TEST_CASE("join: a level beside itself") {
  Steps<float> net({Shape{2}});
  net.concatenate({0, 0}, "twice");
  Matrix<float> x{{1}, {2}}, y(4, 1), dx = Matrix<float>::Constant(2, 1, unset);
  detail::join<float>(net, net.steps()[0], y, [&](std::size_t) { return ConstView<float>(x); });
  CHECK(y == Matrix<float>{{1}, {2}, {1}, {2}});
  y << 1, 2, 30, 40;
  detail::join_backward<float>(
      net, net.steps()[0], y, [&](std::size_t) { return View<float>(dx); }, [](std::size_t read) { return read == 1; });
  CHECK(dx == Matrix<float>{{31}, {42}});
}
