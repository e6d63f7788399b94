#include <doctest/doctest.h>
#include <type_traits>
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
  CHECK_FALSE(std::is_constructible_v<LastingView<float>, Matrix<float>>);
  CHECK_FALSE(std::is_constructible_v<LastingView<float>, const Matrix<float>>);
  CHECK_FALSE(std::is_constructible_v<LastingView<float>, decltype(2 * m)>);
  CHECK_FALSE(std::is_constructible_v<LastingView<float>, decltype(m.leftCols(1))>);
}

TEST_CASE("View: an empty view has no size") {
  CHECK(View<double>().size() == 0);
  CHECK(ConstView<double>().size() == 0);
}
