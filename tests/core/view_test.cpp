#include <doctest/doctest.h>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigan/core/view.hpp>

using namespace eigan;

// Reading through a ConstView is all that it allows, and a constant matrix cannot become writable.
static_assert(!std::is_copy_assignable_v<ConstView<float>>);
static_assert(!std::is_assignable_v<decltype(std::declval<ConstView<float>&>()(0, 0)), float>);
static_assert(!std::is_constructible_v<View<float>, const Matrix<float>&>);
static_assert(!std::is_constructible_v<View<float>, ConstView<float>>);
static_assert(std::is_convertible_v<Matrix<float>&, View<float>>);
static_assert(std::is_convertible_v<View<float>, ConstView<float>>);

TEST_CASE("View: columns may stand apart, and what lies between them is not touched") {
  std::vector<float> memory{1, 2, -9, 3, 4, -9, 5, 6, -9};
  const View<float> v(memory.data(), 2, 3, 3);
  CHECK(v(0, 1) == 3);
  CHECK(v(1, 2) == 6);
  CHECK(v.sum() == 21);

  View<float> writable = v;
  writable = 2 * v;
  CHECK(memory == std::vector<float>{2, 4, -9, 6, 8, -9, 10, 12, -9});
  writable.setZero();
  CHECK(memory == std::vector<float>{0, 0, -9, 0, 0, -9, 0, 0, -9});
}

TEST_CASE("View: copying copies the pointer, assigning copies the elements") {
  Matrix<float> a{{1, 2}, {3, 4}};
  Matrix<float> b{{5, 6}, {7, 8}};
  View<float> left(a), right(b);
  View<float> copy(left);
  CHECK(copy.data() == a.data());

  left = right;
  CHECK(left.data() == a.data());
  CHECK(a == b);
  CHECK(a.data() != b.data());

  copy.rebind(right);
  CHECK(copy.data() == b.data());
  copy(0, 0) = -1;
  CHECK(b(0, 0) == -1);
  CHECK(a(0, 0) == 5);
}

TEST_CASE("View: a block of columns is a view of the same memory") {
  std::vector<float> memory{1, 2, -9, 3, 4, -9, 5, 6, -9, 7, 8, -9};
  const View<float> v(memory.data(), 2, 4, 3);
  View<float> middle = v.columns(1, 2);
  CHECK(middle == Matrix<float>{{3, 5}, {4, 6}});
  CHECK(middle.columns(1, 1) == Matrix<float>{{5}, {6}});
  middle = Matrix<float>{{0, 0}, {0, 0}};
  CHECK(memory == std::vector<float>{1, 2, -9, 0, 0, -9, 0, 0, -9, 7, 8, -9});
}

TEST_CASE("ConstView: reads matrices, views and blocks of columns") {
  const Matrix<float> m{{1, 2, 3}, {4, 5, 6}};
  ConstView<float> v(m);
  CHECK(v.data() == m.data());
  CHECK(v == m);
  CHECK(v.columns(1, 2) == Matrix<float>{{2, 3}, {5, 6}});

  std::vector<float> memory{1, 2, -9, 3, 4, -9};
  const ConstView<float> apart(View<float>(memory.data(), 2, 2, 3));
  CHECK(apart == Matrix<float>{{1, 3}, {2, 4}});
  CHECK(apart.columns(1, 1) == Matrix<float>{{3}, {4}});

  v.rebind(apart);
  CHECK(v.data() == memory.data());
  CHECK(v.outerStride() == 3);
}

TEST_CASE("LastingView: of whatever somebody keeps, of no temporary") {
  const Matrix<float> m{{1, 2, 3}, {4, 5, 6}};
  Matrix<float> writable = m;
  CHECK(LastingView<float>(m).data() == m.data());
  CHECK(LastingView<float>(View<float>(writable)).data() == writable.data());
  CHECK(LastingView<float>(ConstView<float>(m).columns(1, 2)) == Matrix<float>{{2, 3}, {5, 6}});

  CHECK(std::is_convertible_v<const Matrix<float>&, LastingView<float>>);
  CHECK(std::is_convertible_v<Matrix<float>&, LastingView<float>>);
  CHECK(LastingView<float>(m.leftCols(2)).data() == m.data());
}

TEST_CASE("ConstView: of vectors, blocks, maps and matrices of fixed size, without a copy") {
  const auto check = [](ConstView<float> v, const float* data, const Matrix<float>& values) {
    CHECK(v.data() == data);
    CHECK(v == values);
  };
  const Eigen::VectorXf column{{1, 2, 3}};
  check(column, column.data(), Matrix<float>{{1}, {2}, {3}});
  const Eigen::RowVectorXf row{{1, 2, 3}};
  check(row, row.data(), Matrix<float>{{1, 2, 3}});
  const Eigen::Matrix<float, 2, 3> fixed{{1, 2, 3}, {4, 5, 6}};
  check(fixed, fixed.data(), fixed);
  const Eigen::ArrayXXf array = fixed.array();
  check(array, array.data(), fixed);
  const Matrix<float> m = fixed;
  check(m.leftCols(2), m.data(), Matrix<float>{{1, 2}, {4, 5}});
  check(m.block(1, 1, 1, 2), m.data() + 3, Matrix<float>{{5, 6}});
  check(m.col(1), m.data() + 2, Matrix<float>{{2}, {5}});
  check(m.row(1), m.data() + 1, Matrix<float>{{4, 5, 6}});
  check(m.reshaped(3, 2), m.data(), Matrix<float>{{1, 5}, {4, 3}, {2, 6}});
  check(column.head(2), column.data(), Matrix<float>{{1}, {2}});
  check(row.tail(2), row.data() + 1, Matrix<float>{{2, 3}});
  const float numbers[] = {1, 2, 3, 4};
  check(Eigen::Map<const Eigen::Matrix2f>(numbers), numbers, Matrix<float>{{1, 3}, {2, 4}});
  const Eigen::Ref<const Matrix<float>> ref = m;
  check(ref, m.data(), m);
}

TEST_CASE("View: of what can be written") {
  Matrix<float> m = Matrix<float>::Zero(2, 3);
  Eigen::VectorXf column(2);
  const auto fill = [](View<float> v, float value) { v.setConstant(value); };
  fill(m.leftCols(1), 1);
  fill(m.row(1), 2);
  fill(m.bottomRightCorner(1, 1), 3);
  fill(column, 4);
  CHECK(m == Matrix<float>{{1, 0, 0}, {2, 2, 3}});
  CHECK(column == Eigen::VectorXf{{4, 4}});
  CHECK_FALSE(std::is_constructible_v<View<float>, const Eigen::VectorXf&>);
  CHECK_FALSE(std::is_constructible_v<View<float>, Eigen::VectorXf>);  // gone before it could be read
  CHECK_FALSE(std::is_constructible_v<View<float>, decltype(std::as_const(m).leftCols(1))>);
  CHECK_FALSE(std::is_constructible_v<View<float>, decltype(m.transpose())>);
  CHECK_FALSE(std::is_constructible_v<View<double>, Eigen::VectorXf&>);
}

TEST_CASE("View: an empty view has no size") {
  CHECK(View<double>().size() == 0);
  CHECK(ConstView<double>().size() == 0);
}
