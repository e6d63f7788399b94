#include <doctest/doctest.h>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <eigan/kernels/convolve.hpp>

#include "support.hpp"

using namespace eigan;

namespace {

/// Numbers of no pattern: sums depend on their order.
template <class T>
struct Operands {
  Operands(const ConvolutionShape& s, Index samples)
      : w(support::random_values<T>(static_cast<std::size_t>(s.weights()), 1)),
        wt(w.size()),
        bias(support::random_values<T>(static_cast<std::size_t>(s.out), 2)),
        in_bias(support::random_values<T>(static_cast<std::size_t>(s.in), 3)),
        x(support::random_matrix<T>(s.in_size(), samples, 4)),
        y(support::random_matrix<T>(s.out_size(), samples, 5)) {
    convolution::transpose_weights(s, w.data(), wt.data());
  }
  std::vector<T> w, wt, bias, in_bias;
  Matrix<T> x, y;
};

template <class T>
std::vector<T> workspace(Index size) {
  return std::vector<T>(static_cast<std::size_t>(size));
}

template <class T>
void check_forward(const ConvolutionShape& s, Index samples) {
  const Operands<T> o(s, samples);
  Matrix<T> whole(s.out_size(), samples), pieces(s.out_size(), samples);
  convolution::forward<T>(s, {0, s.out_height()}, o.w.data(), o.bias.data(), o.x, View<T>(whole));
  for (Index n = 0; n < samples; n += 2)
    for (Index r = s.out_height(); r-- > 0;) {
      const Index count = std::min<Index>(2, samples - n);
      convolution::forward<T>(s, {r, r + 1}, o.w.data(), o.bias.data(), ConstView<T>(o.x).columns(n, count),
                              View<T>(pieces).columns(n, count));
    }
  CHECK(support::same_bits(whole, pieces));
}

template <class T>
void check_transposed(const ConvolutionShape& s, Index samples) {
  const Operands<T> o(s, samples);
  auto memory = workspace<T>(convolution::transposed_workspace(s));
  Matrix<T> whole(s.in_size(), samples), pieces(s.in_size(), samples);
  convolution::transposed<T>(s, {0, s.height}, o.wt.data(), o.in_bias.data(), o.y, View<T>(whole), memory.data());
  for (Index n = 0; n < samples; n += 2)
    for (Index end = s.height; end > 0; end -= std::min<Index>(end, 3)) {
      const Index count = std::min<Index>(2, samples - n);
      convolution::transposed<T>(s, {std::max<Index>(0, end - 3), end}, o.wt.data(), o.in_bias.data(),
                                 ConstView<T>(o.y).columns(n, count), View<T>(pieces).columns(n, count), memory.data());
    }
  CHECK(support::same_bits(whole, pieces));
}

template <class T>
void check_gradients(const ConvolutionShape& s, Index samples) {
  const Operands<T> o(s, samples);
  auto memory = workspace<T>(convolution::gradient_workspace(s));
  std::vector<T> dw = o.w, db = o.bias, dw_of_parts = o.w, db_of_parts = o.bias;
  const Index parts = convolution::gradient_parts(s);
  convolution::add_gradients<T>(s, 0, parts, o.y, o.x, dw.data(), db.data(), memory.data());
  for (Index end = parts; end > 0; end -= std::min<Index>(end, 3))
    convolution::add_gradients<T>(s, std::max<Index>(0, end - 3), end, o.y, o.x, dw_of_parts.data(), db_of_parts.data(),
                                  memory.data());
  CHECK(support::same_bits<T>(dw, dw_of_parts));
  CHECK(support::same_bits<T>(db, db_of_parts));

  std::vector<T> without_bias = o.w;
  convolution::add_gradients<T>(s, 0, parts, o.y, o.x, without_bias.data(), static_cast<T*>(nullptr), memory.data());
  CHECK(support::same_bits<T>(dw, without_bias));
}

template <class T>
void check_all(const ConvolutionShape& s, Index samples) {
  INFO(s.in, " channels, ", samples, " samples");
  check_forward<T>(s, samples);
  check_transposed<T>(s, samples);
  check_gradients<T>(s, samples);
}

std::string message_of(void (*f)()) {
  try {
    f();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("convolution: rows, samples and parts of weights, in any pieces and order, give the same bits") {
  for (const Index in : {1, 3, 16, 70}) {
    check_all<float>({in, 9, 7, 100, 3, 3, 1, 1, 1, 1}, 5);
    check_all<float>({in, 12, 10, 70, 4, 4, 2, 2, 1, 1}, 5);
    check_all<double>({in, 11, 8, 20, 5, 5, 3, 3, 2, 2}, 3);
  }
  check_all<float>({300, 4, 4, 600, 3, 3, 1, 1, 1, 1}, 3);  // weights beyond what is kept in the cache
  check_all<float>({3, 40, 70, 20, 4, 4, 2, 2, 1, 1}, 1);   // more than one band of rows
}

TEST_CASE("convolution: gradients of groups of samples add up to that of all") {
  const ConvolutionShape s{1, 8, 8, 4, 3, 3, 1, 1, 1, 1};
  const Index samples = 7, groups = convolution::sample_groups(s, samples);
  CHECK(groups == 7);
  CHECK(convolution::sample_groups(s, 64) == 16);
  CHECK(convolution::sample_groups({64, 8, 8, 64, 4, 4}, 64) == 1);
  const Operands<double> o(s, samples);
  auto memory = workspace<double>(convolution::gradient_workspace(s));
  std::vector<double> whole(o.w.size()), sum(o.w.size()), db(o.bias.size());
  convolution::add_gradients<double>(s, 0, 1, o.y, o.x, whole.data(), db.data(), memory.data());
  Index covered = 0;
  for (Index g = 0; g < groups; ++g) {
    const Index first = convolution::first_of_group(samples, groups, g);
    const Index count = convolution::first_of_group(samples, groups, g + 1) - first;
    CHECK(first == covered);
    covered += count;
    std::vector<double> part(o.w.size());
    convolution::add_gradients<double>(s, 0, 1, ConstView<double>(o.y).columns(first, count),
                                       ConstView<double>(o.x).columns(first, count), part.data(), db.data(),
                                       memory.data());
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += part[i];
  }
  CHECK(covered == samples);
  for (std::size_t i = 0; i < sum.size(); ++i) CHECK(sum[i] == doctest::Approx(whole[i]).epsilon(1e-12));
}

TEST_CASE("convolution: what does not fit is named") {
  CHECK(message_of([] {
          convolution::check({3, 2, 9, 4, 4, 4});
        }) == "convolution: expected an image of at least 4 x 4 with its padding, found 2 x 9");
  CHECK(message_of([] {
          convolution::check({3, 8, 8, 4, 4, 4, 0, 1});
        }) == "convolution: sizes must be positive, paddings not negative");
  CHECK(message_of([] {
          const ConvolutionShape s{1, 4, 4, 2, 3, 3};
          Matrix<float> x(15, 1), y(8, 1);
          convolution::forward<float>(s, {0, 2}, nullptr, nullptr, x, View<float>(y));
        }) == "convolution::forward: expected images of 16 numbers and as many outputs of 8, found 15 x 1 and 8 x 1");
  CHECK(message_of([] {
          const ConvolutionShape s{1, 4, 4, 2, 3, 3};
          Matrix<float> x(16, 1), y(8, 1);
          convolution::forward<float>(s, {0, 3}, nullptr, nullptr, x, View<float>(y));
        }) == "convolution::forward, rows: expected a range in 0 to 2, found 0 to 3");
}
