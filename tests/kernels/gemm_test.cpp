#include <doctest/doctest.h>
#include <limits>

#include <eigan/kernels/gemm.hpp>

#include "support.hpp"

using namespace eigan;

namespace {

/// A matrix as a view of the middle rows and columns of a larger one, as a padded batch is; the rest must stay.
template <class T>
class Inside {
 public:
  explicit Inside(const Matrix<T>& values) : memory_(values.rows() + 3, values.cols() + 2), rows_(values.rows()) {
    memory_.setConstant(T(99));
    view() = values;
  }
  View<T> view() {
    return View<T>(memory_.data() + 1, rows_, memory_.cols(), memory_.rows()).columns(1, memory_.cols() - 2);
  }
  bool surroundings_are_intact() {
    Matrix<T> all = memory_;
    all.block(1, 1, rows_, memory_.cols() - 2).setConstant(T(99));
    return (all.array() == T(99)).all();
  }

 private:
  Matrix<T> memory_;
  Index rows_;
};

/// All three products of one layer's sizes against their plain Eigen expressions, in double.
template <class T>
void check_products(Index out, Index in, Index batch) {
  INFO("out ", out, ", in ", in, ", batch ", batch);
  const auto wide = [](const Matrix<T>& m) -> Matrix<double> { return m.template cast<double>(); };
  const Matrix<T> w = support::random_matrix<T>(out, in, 1), b = support::random_matrix<T>(out, 1, 2);
  const Matrix<T> x = support::random_matrix<T>(in, batch, 3), dy = support::random_matrix<T>(out, batch, 4);
  const Matrix<T> before = support::random_matrix<T>(out, in, 5);
  // A sum of n products below 4 and rounding at each of its n additions.
  const auto tolerance = [](Index n) {
    return 4 * static_cast<double>(n + 2) * static_cast<double>(std::numeric_limits<T>::epsilon());
  };
  // Results are assigned, whatever lay there: a NaN would stay one.
  const T nan = std::numeric_limits<T>::quiet_NaN();
  Inside<T> xs(x), dys(dy), y(Matrix<T>::Constant(out, batch, nan)), dx(Matrix<T>::Constant(in, batch, nan));

  gemm::affine<T>(w, xs.view(), b.data(), y.view());
  const Matrix<double> y_expected = (wide(w) * wide(x)).colwise() + wide(b).col(0);
  CHECK(((wide(y.view()) - y_expected).array().abs() < tolerance(in)).all());
  CHECK(y.surroundings_are_intact());

  y.view().setConstant(nan);
  gemm::product<T>(w, xs.view(), y.view());
  CHECK(((wide(y.view()) - wide(w) * wide(x)).array().abs() < tolerance(in)).all());
  CHECK(y.surroundings_are_intact());

  gemm::transposed<T>(w, dys.view(), dx.view());
  const Matrix<double> dx_expected = wide(w).transpose() * wide(dy);
  CHECK(((wide(dx.view()) - dx_expected).array().abs() < tolerance(out)).all());
  CHECK(dx.surroundings_are_intact());

  Matrix<T> dw = before;
  gemm::add_outer<T>(dys.view(), xs.view(), View<T>(dw));
  const Matrix<double> dw_expected = wide(before) + wide(dy) * wide(x).transpose();
  CHECK(((wide(dw) - dw_expected).array().abs() < tolerance(batch)).all());
}

}  // namespace

TEST_CASE("gemm: the three products of a dense layer agree with Eigen's") {
  for (const Index out : {1, 2, 5, 32, 67})
    for (const Index in : {1, 3, 16, 70})
      for (const Index batch : {1, 4, 33}) {
        check_products<float>(out, in, batch);
        check_products<double>(out, in, batch);
      }
}

TEST_CASE("gemm: the sizes of an image network") {
  check_products<float>(128, 784, 37);
  check_products<float>(784, 128, 5);
  check_products<double>(1, 784, 3);
}

TEST_CASE("gemm: products are added to a block of a weight's columns alone") {
  const Matrix<float> dy{{1}, {2}}, x{{3}, {4}};
  Matrix<float> dw = Matrix<float>::Constant(2, 4, 10);
  gemm::add_outer<float>(dy, x, View<float>(dw).columns(1, 2));
  CHECK(dw == Matrix<float>{{10, 13, 14, 10}, {10, 16, 18, 10}});
  Matrix<float> row = Matrix<float>::Constant(1, 4, 10);
  gemm::add_outer<float>(Matrix<float>{{2}}, x, View<float>(row).columns(1, 2));
  CHECK(row == Matrix<float>{{10, 16, 18, 10}});
}
