#include <doctest/doctest.h>
#include <cstdint>
#include <string>
#include <vector>

#include <eigan/kernels/convolution.hpp>
#include <eigan/kernels/convolve.hpp>

#include "kernels/candidates.hpp"
#define EIGAN_KERNELS <eigan/kernels/convolution.inc>
#include "kernels/sixty_four_bytes.inc"

using namespace kernel_tests;

namespace {

std::string describe(const ConvolutionShape& s) {
  const auto pair = [](Index a, Index b) { return std::to_string(a) + " x " + std::to_string(b); };
  return std::to_string(s.in) + " channels of " + pair(s.height, s.width) + " to " + std::to_string(s.out) +
         ", kernel " + pair(s.kernel_height, s.kernel_width) + ", stride " + pair(s.stride_height, s.stride_width) +
         ", padding " + pair(s.padding_height, s.padding_width);
}

/// f(y's row, x's row, w's column) for every product in a sample of the convolution, pixel by pixel and tap by tap.
template <class F>
void for_each_meeting(const ConvolutionShape& s, F f) {
  for (Index r = 0; r < s.out_height(); ++r)
    for (Index q = 0; q < s.out_width(); ++q)
      for (Index i = 0; i < s.kernel_height; ++i)
        for (Index j = 0; j < s.kernel_width; ++j) {
          const Index row = r * s.stride_height - s.padding_height + i, col = q * s.stride_width - s.padding_width + j;
          if (row < 0 || row >= s.height || col < 0 || col >= s.width) continue;
          f(s.out * (q + s.out_width() * r), s.in * (col + s.width * row), s.in * (j + s.kernel_width * i));
        }
}

/// Operands of a convolution, and what plain loops make of them.
template <class T>
struct Oracle {
  Oracle(const ConvolutionShape& s, Index samples, Index padding)
      : w(operand<T>(s.out, s.in * s.taps(), 0, 1).view()),
        bias(operand<T>(s.out, 1, 0, 2).view()),
        in_bias(operand<T>(s.in, 1, 0, 3).view()),
        x(operand<T>(s.in_size(), samples, padding, 4)),
        dy(operand<T>(s.out_size(), samples, padding, 5)),
        y(s.out_size(), samples, padding, mark),
        dx(s.in_size(), samples, padding, mark),
        dw(operand<T>(s.out, s.in * s.taps(), 0, 6).view()),
        db(operand<T>(s.out, 1, 0, 7).view()),
        dw_before(dw),
        db_before(db) {
    y.view() = bias.replicate(s.out_height() * s.out_width(), samples);
    dx.view() = in_bias.replicate(s.height * s.width, samples);
    View<T> xv = x.view(), yv = y.view(), dxv = dx.view(), dyv = dy.view();
    for (Index n = 0; n < samples; ++n) {
      for_each_meeting(s, [&](Index to, Index from, Index column) {
        for (Index c = 0; c < s.in; ++c)
          for (Index o = 0; o < s.out; ++o) {
            yv(to + o, n) += w(o, column + c) * xv(from + c, n);
            dxv(from + c, n) += w(o, column + c) * dyv(to + o, n);
            dw(o, column + c) += dyv(to + o, n) * xv(from + c, n);
          }
      });
      for (Index i = 0; i < s.out_size(); ++i) db(i % s.out) += dyv(i, n);
    }
  }

  Matrix<T> w, bias, in_bias;
  Padded<T> x, dy, y, dx;
  Matrix<T> dw, db, dw_before, db_before;
};

/// A workspace of the size that was asked for, with a mark behind its end; what stands in it at first is NaN.
template <class T>
class Workspace {
 public:
  explicit Workspace(Index size) : memory_(static_cast<std::size_t>(size) + 1, static_cast<T>(kernel_tests::nan)) {
    memory_.back() = static_cast<T>(mark);
  }
  T* data() { return memory_.data(); }
  bool intact() const { return memory_.back() == static_cast<T>(mark); }

 private:
  std::vector<T> memory_;
};

/// All three directions of one convolution for all candidates: whole, and in pieces of rows, samples and weights.
template <class T>
void check(const ConvolutionShape& s, Index samples, Index padding) {
  Oracle<T> oracle(s, samples, padding);
  detail::Strided<const T> x{oracle.x.data(), 1, oracle.x.stride()}, dy{oracle.dy.data(), 1, oracle.dy.stride()};
  const Index height = s.out_height();
  for (const auto& candidate : candidates<detail::ConvolutionKernels<T>>()) {
    INFO(candidate.name, ": ", samples, " samples, ", describe(s), ", columns ", x.col, " apart");
    const auto& kernels = *candidate.table;
    Workspace<T> backward(detail::transposed_workspace(s)), gradient(detail::gradient_workspace(s));
    Matrix<T> wt(s.weights(), 1);
    convolution::transpose_weights(s, oracle.w.data(), wt.data());

    Padded<T> y(s.out_size(), samples, padding, mark);
    kernels.forward(s, {0, height}, samples, oracle.w.data(), oracle.bias.data(), x, {y.data(), 1, y.stride()});
    REQUIRE(y.memory() == oracle.y.memory());

    Padded<T> dx(s.in_size(), samples, padding, mark);
    kernels.transposed(s, {0, s.height}, samples, wt.data(), oracle.in_bias.data(), dy, {dx.data(), 1, dx.stride()},
                       backward.data());
    REQUIRE(dx.memory() == oracle.dx.memory());

    Matrix<T> dw = oracle.dw_before, db = oracle.db_before;
    const Index parts = detail::gradient_parts(s);
    kernels.add_gradients(s, 0, parts, samples, dy, x, dw.data(), db.data(), gradient.data());
    REQUIRE(dw == oracle.dw);
    REQUIRE(db == oracle.db);
    if (!detail::has_few_channels(s)) {  // each tap's matrix by itself, the other way round
      Matrix<T> dwt(s.in, s.out * s.taps());
      const auto tap = [&](const Matrix<T>& of, Index t) { return of.middleCols(t * s.in, s.in).transpose(); };
      for (Index t = 0; t < s.taps(); ++t) dwt.middleCols(t * s.out, s.out) = tap(oracle.dw_before, t);
      kernels.add_transposed_gradients(s, 0, parts, samples, dy, x, dwt.data());
      for (Index t = 0; t < s.taps(); ++t) REQUIRE(dwt.middleCols(t * s.out, s.out) == tap(oracle.dw, t));
    }

    REQUIRE(backward.intact());
    REQUIRE(gradient.intact());
  }
}

void check(const ConvolutionShape& s, Index samples = 2, Index padding = 3) {
  check<float>(s, samples, padding);
  check<double>(s, samples, padding);
}

}  // namespace

TEST_CASE("convolution: kernels of one pixel") {
  check({16, 4, 5, 16, 1, 1});
  check({64, 3, 3, 70, 1, 1});
  check({1, 4, 5, 3, 1, 1});
  check({24, 7, 5, 9, 1, 1, 2, 3});
}

TEST_CASE("convolution: the common kernels") {
  for (const Index in : {1, 3, 15, 16, 17, 100})
    for (const Index out : {1, 3, 5, 17, 64, 100}) {
      check({in, 6, 5, out, 3, 3, 1, 1, 1, 1});
      check({in, 6, 8, out, 4, 4, 2, 2, 1, 1});
    }
}

TEST_CASE("convolution: larger kernels and strides") {
  for (const Index in : {1, 3, 20}) {
    check({in, 11, 9, 18, 5, 5, 1, 1, 2, 2});
    check({in, 13, 10, 18, 7, 7, 2, 2, 3, 3});
    check({in, 13, 11, 18, 3, 3, 3, 3, 0, 0});
    check({in, 13, 11, 18, 2, 2, 3, 3, 0, 0});  // some pixels meet no tap
    check({in, 9, 9, 18, 9, 9});                // more taps than are multiplied at a time, one output pixel
  }
}

TEST_CASE("convolution: rectangles") {
  for (const Index in : {2, 16, 33}) {
    check({in, 3, 17, 6, 1, 5, 1, 2, 0, 2});
    check({in, 17, 3, 6, 5, 1, 2, 1, 2, 0});
    check({in, 8, 12, 33, 2, 3, 3, 1, 1, 0});
    check({in, 8, 12, 33, 3, 4, 2, 4, 0, 3});
  }
}

TEST_CASE("convolution: padding beyond what a kernel needs, images smaller than the kernel") {
  for (const Index in : {1, 16}) {
    check({in, 4, 4, 20, 3, 3, 1, 1, 4, 5});
    check({in, 2, 2, 20, 5, 5, 1, 1, 2, 2});
    check({in, 2, 1, 20, 4, 4, 2, 2, 1, 2});
    check({in, 1, 1, 20, 3, 3, 2, 2, 1, 1});
  }
}

TEST_CASE("convolution: batches of one and of many, images of many rows, columns without gaps") {
  check({16, 12, 12, 64, 3, 3, 1, 1, 1, 1}, 1, 0);
  check({3, 40, 40, 16, 4, 4, 2, 2, 1, 1}, 1, 0);
  check({1, 70, 6, 16, 3, 3, 1, 1, 1, 1}, 3, 5);
  check({16, 5, 5, 24, 3, 3, 2, 2, 1, 1}, 17, 5);
  check({32, 2, 300, 20, 3, 3, 1, 1, 1, 1}, 1, 0);
}

TEST_CASE("convolution: pixels of many channels") {
  check({520, 3, 3, 20, 3, 3, 1, 1, 1, 1}, 1, 0);
  check({20, 3, 3, 1030, 3, 3, 1, 1, 1, 1}, 1, 0);
}

TEST_CASE("convolution: what a thread wants for the way back to an image of few channels is what the guide says") {
  // 7 rows of 1024 output pixels, each of which gives a number to 3 channels of 49 taps, and a little besides.
  const ConvolutionShape s{3, 1024, 1024, 32, 7, 7, 1, 1, 3, 3};
  CHECK(convolution::transposed_workspace(s) * Index{sizeof(float)} / 1024 == 4140);
  CHECK(7 * 1024 * 3 * 49 <= convolution::transposed_workspace(s));
  CHECK(convolution::transposed_workspace({16, 1024, 1024, 32, 7, 7, 1, 1, 3, 3}) == 0);
}
