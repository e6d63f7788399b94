#include <doctest/doctest.h>
#include <cstdint>

#include <eigan/kernels/products.hpp>

#include "kernels/candidates.hpp"
#define EIGAN_KERNELS <eigan/kernels/products.inc>
#include "kernels/sixty_four_bytes.inc"

using namespace kernel_tests;

namespace {

/// c = init + a b for all candidates, with b as it lies and as a transpose, and init a matrix, a column or c itself.
template <class T>
void check_multiply(Index m, Index n, Index k, Index padding) {
  Padded<T> a = operand<T>(m, k, padding, 1), b = operand<T>(k, n, padding, 2), bt = operand<T>(n, k, padding, 3);
  Padded<T> init = operand<T>(m, n, padding, 4);
  bt.view() = b.view().transpose();
  Padded<T> expected(m, n, padding, mark), with_column(m, n, padding, mark);
  expected.view() = a.view().lazyProduct(b.view());
  with_column.view() = expected.view().colwise() + init.view().col(0);
  expected.view() += init.view();

  for (const auto& candidate : candidates<detail::ProductKernels<T>>()) {
    INFO(candidate.name, ": ", m, " x ", k, " times ", k, " x ", n, ", columns ", a.stride(), " apart");
    const detail::Strided<const T> left{a.data(), 1, a.stride()};
    const detail::Strided<const T> right{b.data(), 1, b.stride()}, flipped{bt.data(), bt.stride(), 1};
    Padded<T> c(m, n, padding, mark);
    const detail::Strided<T> result{c.data(), 1, c.stride()};
    candidate.table->multiply(m, n, k, left, right, {init.data(), 1, init.stride()}, result);
    REQUIRE(c.memory() == expected.memory());

    c = Padded<T>(m, n, padding, mark);
    candidate.table->multiply(m, n, k, left, flipped, {init.data(), 1, 0}, {c.data(), 1, c.stride()});
    REQUIRE(c.memory() == with_column.memory());

    c = Padded<T>(m, n, padding, mark);
    c.view() = init.view();
    candidate.table->multiply(m, n, k, left, flipped, {c.data(), 1, c.stride()}, {c.data(), 1, c.stride()});
    REQUIRE(c.memory() == expected.memory());
  }
}

/// c = a^T b for all candidates.
template <class T>
void check_multiply_transposed(Index m, Index n, Index k, Index padding) {
  Padded<T> a = operand<T>(k, m, padding, 1), b = operand<T>(k, n, padding, 2);
  Padded<T> expected(m, n, padding, mark);
  expected.view() = a.view().transpose().lazyProduct(b.view());
  for (const auto& candidate : candidates<detail::ProductKernels<T>>()) {
    INFO(candidate.name, ": ", m, " x ", k, " times ", k, " x ", n, ", columns ", a.stride(), " apart");
    Padded<T> c(m, n, padding, mark);
    candidate.table->multiply_transposed(m, n, k, {a.data(), 1, a.stride()}, {b.data(), 1, b.stride()},
                                         {c.data(), 1, c.stride()});
    REQUIRE(c.memory() == expected.memory());
  }
}

/// Both types; double has fewer lanes and therefore other edges.
void check_products(Index m, Index n, Index k, Index padding) {
  check_multiply<float>(m, n, k, padding);
  check_multiply<double>(m, n, k, padding);
  check_multiply_transposed<float>(m, n, k, padding);
  check_multiply_transposed<double>(m, n, k, padding);
}

}  // namespace

TEST_CASE("kernels: products of every height") {
  for (Index m = 1; m <= 70; ++m)
    for (const Index n : {1, 3, 8, 17})
      for (const Index k : {1, 5}) check_products(m, n, k, 3);
}

TEST_CASE("kernels: products of every width and length") {
  for (const Index m : {1, 4, 7, 19})
    for (Index i = 0; i <= 70; ++i) {
      check_products(m, i == 0 ? 1 : i, 3, 1);
      check_products(m, 5, i, 1);
    }
}

TEST_CASE("kernels: products with more terms than a packed strip holds") {
  for (const Index k : {128, 129, 256, 257, 300, 512, 513, 1100})
    for (const Index m : {1, 29, 48})
      for (const Index n : {1, 3, 17}) check_products(m, n, k, 5);
}

TEST_CASE("kernels: products with one column and many rows") {
  for (const Index m : {127, 128, 129, 144, 272})
    for (const Index k : {0, 1, 7, 600}) check_products(m, 1, k, 5);
}

TEST_CASE("kernels: products of operands whose columns lie far apart, on any cache lines") {
  for (const Index m : {1, 33, 70})
    for (const Index n : {1, 17, 49})
      for (const Index k : {1, 300}) {
        check_products(m, n, k, 515);
        check_products(m, n, k, 544 - m);  // 17 or 34 pairs of cache lines
        check_products(m, n, k, 128 - m);  // 512 bytes of float
      }
}

TEST_CASE("kernels: products with a transposed matrix whose rows share cache sets") {
  for (const Index m : {97, 200})
    for (const Index n : {8, 13, 250})
      for (const Index k : {15, 16, 64, 300, 512, 513}) check_products(m, n, k, 512 - n);
}

TEST_CASE("kernels: products of more rows or columns than are copied together at a time") {
  for (const Index m : {96, 97, 200, 410})
    for (const Index n : {17, 40})
      for (const Index k : {9, 300}) check_products(m, n, k, 512 - m);
  for (const Index n : {256, 257, 600})
    for (const Index k : {2, 40, 300}) check_products(30, n, k, 3);
  check_products(200, 600, 300, 3);
}

// Whole numbers do not show in which order they were added; these do. A product of many columns takes other ways
// through the kernels than one of a single column, and where b is a transpose others again.
TEST_CASE("kernels: a column of a product has the same bits in any company") {
  const Index m = 200, k = 600;
  const Matrix<float> a = support::random_matrix<float>(m, k, 1), b = support::random_matrix<float>(k, 290, 2);
  const Matrix<float> bt = b.transpose(), init = support::random_matrix<float>(m, 1, 3);
  const detail::Strided<const float> left{a.data(), 1, m}, start{init.data(), 1, 0};
  for (const auto& candidate : candidates<detail::ProductKernels<float>>()) {
    INFO(candidate.name);
    Matrix<float> alone(m, b.cols()), together(m, b.cols()), flipped(m, b.cols());
    for (Index j = 0; j < b.cols(); ++j)
      candidate.table->multiply(m, 1, k, left, {b.data() + j * k, 1, k}, start, {alone.data() + j * m, 1, m});
    candidate.table->multiply(m, b.cols(), k, left, {b.data(), 1, k}, start, {together.data(), 1, m});
    candidate.table->multiply(m, b.cols(), k, left, {bt.data(), bt.rows(), 1}, start, {flipped.data(), 1, m});
    CHECK((together == alone));  // not decomposed: the matrices would be printed
    CHECK((flipped == alone));
  }
}

TEST_CASE("kernels: row sums are added to what is there") {
  const auto check = []<class T>(T) {
    for (Index m = 1; m <= 70; ++m)
      for (const Index n : {0, 1, 2, 5}) {
        Padded<T> a = operand<T>(m, n, 3, 1);
        const Matrix<T> before = operand<T>(m, 1, 0, 2).view();
        Matrix<T> expected = before;
        for (Index j = 0; j < n; ++j) expected += a.view().col(j);
        for (const auto& candidate : candidates<detail::ProductKernels<T>>()) {
          INFO(candidate.name, ": ", m, " x ", n);
          Padded<T> sums(m, 1, 3, mark);
          sums.view() = before;
          candidate.table->add_row_sums(m, n, {a.data(), 1, a.stride()}, sums.data());
          REQUIRE(sums.view() == expected);
          REQUIRE((sums.memory().col(0).tail(3).array() == static_cast<T>(mark)).all());
        }
      }
  };
  check(1.f);
  check(1.0);
}
