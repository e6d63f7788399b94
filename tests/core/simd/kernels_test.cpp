#include <doctest/doctest.h>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <eigan/core/simd/kernels.hpp>

#include "support.hpp"

using namespace eigan;

// The kernels' text once more, with registers of 64 bytes but no instructions for them: so the logic of the widest
// set, which is for float alone, is tested on machines that do not have it.
#define EIGAN_INLINE [[gnu::always_inline]] inline
#define EIGAN_NOINLINE [[gnu::noinline]] inline
#define EIGAN_UNROLL
#define EIGAN_UNROLL_TWICE
#define EIGAN_ISA sixty_four_bytes
#define EIGAN_TARGET
#define EIGAN_VECTOR_BYTES 64
#include <eigan/core/simd/kernels.inc>

namespace {

template <class T>
struct Candidate {
  std::string name;
  const detail::KernelTable<T>* table;
};

/// Every set of kernels that this processor can run.
template <class T>
std::vector<Candidate<T>> candidates() {
  std::vector<Candidate<T>> all;
  if constexpr (sizeof(T) == sizeof(float)) all.push_back({"64-byte vectors", &detail::sixty_four_bytes::table<T>});
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512})
    if (supports(isa)) all.push_back({to_string(isa), &detail::kernels_for<T>(isa)});
  return all;
}

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

// ---------------------------------------------------------------- matrix products

// Operands are small whole numbers: every sum is exact, so results can be compared with == whatever the order of the
// additions. A matrix lies in memory with more rows than it has; what is not the matrix is NaN in operands, which
// would spread, and a mark in results, which must survive.
template <class T>
class Padded {
 public:
  Padded(Index rows, Index cols, Index padding, double fill) : memory_(rows + padding, cols + 1), rows_(rows) {
    memory_.setConstant(static_cast<T>(fill));
  }
  Index cols() const { return memory_.cols() - 1; }
  Index stride() const { return memory_.rows(); }
  T* data() { return memory_.data(); }
  View<T> view() { return {memory_.data(), rows_, cols(), stride()}; }
  Matrix<T>& memory() { return memory_; }

 private:
  Matrix<T> memory_;
  Index rows_;
};

template <class T>
Padded<T> operand(Index rows, Index cols, Index padding, std::uint64_t seed) {
  Padded<T> m(rows, cols, padding, nan);
  m.view() = support::random_matrix<double>(rows, cols, seed, -8, 8).array().round().matrix().template cast<T>();
  return m;
}

constexpr double mark = 12345;

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

  for (const auto& candidate : candidates<T>()) {
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
  for (const auto& candidate : candidates<T>()) {
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
  for (const auto& candidate : candidates<float>()) {
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
        for (const auto& candidate : candidates<T>()) {
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

TEST_CASE("kernels: moments and products of rows, and rows scaled and combined") {
  const auto check = []<class T>(T) {
    using Array = Eigen::Array<double, Eigen::Dynamic, 1>;
    const double tolerance = sizeof(T) == sizeof(float) ? 1e-5 : 1e-13;
    for (const Index m : {1, 3, 4, 7, 8, 9, 15, 16, 17, 33, 64, 67})
      for (const Index n : {1, 2, 5, 64}) {
        Padded<T> x = operand<T>(m, n, 3, 1), dy = operand<T>(m, n, 5, 2);
        const Matrix<double> xd = x.view().template cast<double>(), dyd = dy.view().template cast<double>();
        const Array mean = xd.rowwise().mean(), a = Array::LinSpaced(m, -2, 3), b = Array::LinSpaced(m, 1, 2),
                    c = Array::LinSpaced(m, 5, 4);
        const Matrix<double> centred = xd.colwise() - mean.matrix();
        const Array variance = centred.array().square().rowwise().mean();
        const Matrix<T> mean_t = mean.cast<T>(), at = a.cast<T>(), bt = b.cast<T>(), ct = c.cast<T>();
        for (const auto& candidate : candidates<T>()) {
          INFO(candidate.name, ": ", m, " x ", n);
          const auto near = [&](Padded<T>& found, const Matrix<double>& expected) {
            const double scale = 1 + expected.cwiseAbs().maxCoeff();
            REQUIRE((found.view().template cast<double>() - expected).cwiseAbs().maxCoeff() <= tolerance * scale);
            REQUIRE((found.memory().bottomRows(3).array() == static_cast<T>(mark)).all());
          };
          Padded<T> first(m, 1, 3, mark), second(m, 1, 3, mark), result(m, n, 3, mark);
          candidate.table->row_moments(m, n, {x.data(), 1, x.stride()}, first.data(), second.data());
          near(first, mean.matrix());
          near(second, variance.matrix());
          first.view().setConstant(T(2));
          second.view().setConstant(T(3));
          candidate.table->add_row_products(m, n, {x.data(), 1, x.stride()}, mean_t.data(), {dy.data(), 1, dy.stride()},
                                            first.data(), second.data());
          near(first, (dyd.rowwise().sum().array() + 2).matrix());
          near(second, (dyd.cwiseProduct(centred).rowwise().sum().array() + 3).matrix());
          candidate.table->scale_rows(m, n, {x.data(), 1, x.stride()}, at.data(), ct.data(),
                                      {result.data(), 1, result.stride()});
          near(result, ((xd.array().colwise() * a).colwise() + c).matrix());
          candidate.table->combine_rows(m, n, {x.data(), 1, x.stride()}, at.data(), {dy.data(), 1, dy.stride()},
                                        bt.data(), ct.data(), {result.data(), 1, result.stride()});
          near(result, ((xd.array().colwise() * a + dyd.array().colwise() * b).colwise() + c).matrix());
        }
      }
  };
  check(1.f);
  check(1.0);
}

// ---------------------------------------------------------------- element-wise

namespace {

/// Units in the last place between a float and what it should be.
double ulps(float found, double expected) {
  if (std::isnan(expected) || std::isinf(expected)) return found == static_cast<float>(expected) ? 0 : infinity;
  int exponent = 0;
  std::frexp(expected, &exponent);
  return std::abs(static_cast<double>(found) - expected) / std::ldexp(1.0, std::max(exponent - 24, -149));
}

/// Calls kernel(n, inputs, y) for n = 1, ..., 70 and y apart or in place, and compares with `expected`, to the
/// tolerance times what is larger, the value or 1; what lies behind y must stay.
template <class T, class Kernel, class Expected>
void check_map(const std::string& what, double tolerance, const Kernel& kernel, const Expected& expected) {
  const Matrix<T> x = support::random_matrix<T>(70, 1, 1), u = support::random_matrix<T>(70, 1, 2);
  for (const auto& candidate : candidates<T>())
    for (Index n = 1; n <= 70; ++n) {
      INFO(what, ", ", candidate.name, ", n = ", n);
      Matrix<T> y = Matrix<T>::Constant(n + 3, 1, static_cast<T>(mark));
      Matrix<T> in_place = y;
      in_place.topRows(n) = u.topRows(n);
      kernel(*candidate.table, n, x.data(), u.data(), y.data());
      kernel(*candidate.table, n, x.data(), in_place.data(), in_place.data());
      bool right = (y.bottomRows(3).array() == static_cast<T>(mark)).all();
      for (Index i = 0; i < n; ++i) {
        const double should = expected(static_cast<double>(x(i)), static_cast<double>(u(i)));
        right = right && std::abs(static_cast<double>(y(i)) - should) <= tolerance * std::max(1.0, std::abs(should));
      }
      REQUIRE(right);
      REQUIRE(y == in_place);
    }
}

template <class T>
void check_maps() {
  // 2 x and x / 2 are exact; a product or sum that is not rounds by half a unit, a fused one by less.
  const auto eps = static_cast<double>(std::numeric_limits<T>::epsilon());
  using Table = detail::KernelTable<T>;
  check_map<T>(
      "relu", 0, [](const Table& k, Index n, const T*, const T* u, T* y) { k.relu(n, u, y); },
      [](double, double u) { return std::max(u, 0.0); });
  check_map<T>(
      "leaky_relu", 0, [](const Table& k, Index n, const T*, const T* u, T* y) { k.leaky_relu(n, T(0.25), u, y); },
      [](double, double u) { return u < 0 ? u / 4 : u; });
  check_map<T>(
      "leaky_relu_backward", 0,
      [](const Table& k, Index n, const T* x, const T* u, T* y) { k.leaky_relu_backward(n, T(0.25), x, u, y); },
      [](double y, double dy) { return y > 0 ? dy : dy / 4; });
  check_map<T>(
      "tanh", 3 * eps, [](const Table& k, Index n, const T*, const T* u, T* y) { k.tanh(n, u, y); },
      [](double, double u) { return std::tanh(u); });
  check_map<T>(
      "tanh_backward", 8 * eps,
      [](const Table& k, Index n, const T* x, const T* u, T* y) { k.tanh_backward(n, x, u, y); },
      [](double y, double dy) { return dy * (1 - y * y); });
  check_map<T>(
      "sigmoid", 3 * eps, [](const Table& k, Index n, const T*, const T* u, T* y) { k.sigmoid(n, u, y); },
      [](double, double u) { return 1 / (1 + std::exp(-u)); });
  check_map<T>(
      "sigmoid_backward", 8 * eps,
      [](const Table& k, Index n, const T* x, const T* u, T* y) { k.sigmoid_backward(n, x, u, y); },
      [](double y, double dy) { return dy * y * (1 - y); });
}

}  // namespace

TEST_CASE("kernels: element-wise functions of every length, in float and double") {
  check_maps<float>();
  check_maps<double>();
}

TEST_CASE("kernels: zeros keep their sign and a NaN stays a NaN") {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> x{-0.f, 0.f, std::numeric_limits<float>::quiet_NaN(), inf, -inf};
  for (const auto& candidate : candidates<float>()) {
    CAPTURE(candidate.name);
    std::vector<float> relu(5), leaky(5), tanh(5), sigmoid(5);
    candidate.table->relu(5, x.data(), relu.data());
    candidate.table->leaky_relu(5, 0.5f, x.data(), leaky.data());
    candidate.table->tanh(5, x.data(), tanh.data());
    candidate.table->sigmoid(5, x.data(), sigmoid.data());
    for (const auto& y : {relu, leaky, tanh, sigmoid}) CHECK(std::isnan(y[2]));
    CHECK(std::signbit(tanh[0]));
    CHECK_FALSE(std::signbit(tanh[1]));
    CHECK(relu[3] == inf);
    CHECK(relu[4] == 0);
    CHECK(leaky[3] == inf);
    CHECK(leaky[4] == -inf);
    CHECK(tanh[0] == 0);
    CHECK(tanh[3] == 1);
    CHECK(tanh[4] == -1);
    CHECK(sigmoid[0] == 0.5f);
    CHECK(sigmoid[1] == 0.5f);
    CHECK(sigmoid[3] == 1);
    CHECK(sigmoid[4] == 0);
  }
}

TEST_CASE("kernels: tanh and sigmoid are within 2.5 units in the last place over all floats") {
  // Every 997th of the finite floats, from the least to the greatest magnitude, and of both signs.
  std::vector<float> x;
  for (std::uint32_t bits = 0; bits < 0x7F800000u; bits += 997) x.push_back(std::bit_cast<float>(bits));
  const auto n = static_cast<Index>(x.size());
  std::vector<double> tanh(x.size()), sigmoid(x.size()), sigmoid_of_negative(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double e = std::exp(-static_cast<double>(x[i]));
    tanh[i] = std::tanh(static_cast<double>(x[i]));
    sigmoid[i] = 1 / (1 + e);
    sigmoid_of_negative[i] = e / (1 + e);
  }
  std::vector<float> y(x.size()), negative(x);
  for (float& v : negative) v = -v;
  const auto are_near = [&](double sign, const std::vector<double>& expected) {
    bool near = true;  // a NaN is not
    for (std::size_t i = 0; i < x.size(); ++i) near = near && ulps(y[i], sign * expected[i]) < 2.5;
    return near;
  };
  for (const auto& candidate : candidates<float>()) {
    CAPTURE(candidate.name);
    candidate.table->tanh(n, x.data(), y.data());
    CHECK(are_near(1, tanh));
    candidate.table->tanh(n, negative.data(), y.data());
    CHECK(are_near(-1, tanh));
    candidate.table->sigmoid(n, x.data(), y.data());
    CHECK(are_near(1, sigmoid));
    candidate.table->sigmoid(n, negative.data(), y.data());
    CHECK(are_near(1, sigmoid_of_negative));
  }
}

TEST_CASE("kernels: dropout keeps what its 16-bit draws say, and scales it") {
  const auto check = []<class T>(T) {
    const Matrix<T> x = support::random_matrix<T>(200, 1, 1, 1, 2);
    const Rng rng(77);
    for (const auto& candidate : candidates<T>())
      for (const std::uint32_t threshold : {0u, 1u, 19661u, 32768u, 65535u})
        for (const Index n : {1, 2, 3, 7, 8, 15, 16, 17, 63, 64, 65, 127, 129, 200}) {
          INFO(candidate.name, ", threshold ", threshold, ", n = ", n);
          Matrix<T> y = Matrix<T>::Constant(n + 1, 1, static_cast<T>(mark));
          candidate.table->dropout(n, rng.key(), 5, threshold, T(2), x.data(), y.data());
          bool right = y(n) == static_cast<T>(mark);
          for (Index i = 0; i < n; ++i) {
            const std::uint32_t draw = rng.word(i / 2, 5) >> (16 * (i % 2)) & 0xFFFF;
            right = right && y(i) == (draw >= threshold ? 2 * x(i) : T(0));
          }
          REQUIRE(right);
        }
  };
  check(1.f);
  check(1.0);
}

TEST_CASE("kernels: pixels become [-1, 1], both ends exact") {
  const auto check = []<class T>(T) {
    std::vector<std::uint8_t> pixels(256);
    for (std::size_t i = 0; i < 256; ++i) pixels[i] = static_cast<std::uint8_t>(255 - i);
    for (const auto& candidate : candidates<T>())
      for (const Index n : {1, 2, 7, 16, 31, 33, 255, 256}) {
        INFO(candidate.name, ", n = ", n);
        std::vector<T> y(static_cast<std::size_t>(n) + 1, static_cast<T>(mark));
        candidate.table->pixels(n, pixels.data(), y.data());
        bool right = y.back() == static_cast<T>(mark);
        for (std::size_t i = 0; i + 1 < y.size(); ++i)
          right = right && y[i] == static_cast<T>(pixels[i]) / T(127.5) - T(1);
        REQUIRE(right);
        CHECK(y[0] == T(1));
        if (n == 256) CHECK(y[255] == T(-1));
      }
  };
  check(1.f);
  check(1.0);
}

TEST_CASE("kernels: an Adam step of every length agrees with the formula") {
  const auto check = []<class T>(T) {
    const auto eps = static_cast<double>(std::numeric_limits<T>::epsilon());
    const detail::AdamCoefficients<T> c{.beta1 = T(0.9),
                                        .rest1 = T(0.1),
                                        .beta2 = T(0.99),
                                        .rest2 = T(0.01),
                                        .step_size = T(0.5),
                                        .inv_sqrt_correction2 = T(3),
                                        .eps = T(0.125),
                                        .weight_decay = T(0.25)};
    const Matrix<T> g = support::random_matrix<T>(70, 1, 1), p0 = support::random_matrix<T>(70, 1, 2);
    const Matrix<T> m0 = support::random_matrix<T>(70, 1, 3), v0 = support::random_matrix<T>(70, 1, 4, 0.5, 2);
    for (const auto& candidate : candidates<T>())
      for (Index n = 1; n <= 70; ++n) {
        INFO(candidate.name, ", n = ", n);
        Matrix<T> p = p0, m = m0, v = v0;
        candidate.table->adam(n, c, g.data(), m.data(), v.data(), p.data());
        bool right = p.bottomRows(70 - n) == p0.bottomRows(70 - n) && m.bottomRows(70 - n) == m0.bottomRows(70 - n) &&
                     v.bottomRows(70 - n) == v0.bottomRows(70 - n);
        for (Index i = 0; i < n; ++i) {
          const double gi = static_cast<double>(g(i)) + 0.25 * static_cast<double>(p0(i));
          const double mi = 0.9 * static_cast<double>(m0(i)) + 0.1 * gi;
          const double vi = 0.99 * static_cast<double>(v0(i)) + 0.01 * gi * gi;
          const double pi = static_cast<double>(p0(i)) - 0.5 * mi / (std::sqrt(vi) * 3 + 0.125);
          right = right && std::abs(static_cast<double>(m(i)) - mi) < 8 * eps &&
                  std::abs(static_cast<double>(v(i)) - vi) < 8 * eps &&
                  std::abs(static_cast<double>(p(i)) - pi) < 8 * eps;
        }
        REQUIRE(right);
      }
  };
  check(1.f);
  check(1.0);
}

#if defined(__x86_64__)
TEST_CASE("kernels: an Adam step turns denormal moments into zeros") {
  const auto check = []<class T>(T) {
    const detail::AdamCoefficients<T> c{.beta1 = T(0.9),
                                        .rest1 = T(0.1),
                                        .beta2 = T(0.99),
                                        .rest2 = T(0.01),
                                        .step_size = T(0.5),
                                        .inv_sqrt_correction2 = T(1),
                                        .eps = T(0.125),
                                        .weight_decay = T(0)};
    const T tiny = std::numeric_limits<T>::min() / 2;
    for (const auto& candidate : candidates<T>()) {
      CAPTURE(candidate.name);
      Matrix<T> g = Matrix<T>::Zero(21, 1), p = Matrix<T>::Ones(21, 1);
      Matrix<T> m = Matrix<T>::Constant(21, 1, tiny), v = m;
      candidate.table->adam(21, c, g.data(), m.data(), v.data(), p.data());
      CHECK((m.array() == T(0)).all());
      CHECK((v.array() == T(0)).all());
      CHECK((p.array() == T(1)).all());
    }
  };
  check(1.f);
  check(1.0);
}
#endif
