#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include <eigan/data/batches.hpp>
#include <eigan/data/gather_columns.hpp>

using namespace eigan;

TEST_CASE("gather_columns: the columns that are named, in their order") {
  const Matrix<float> x{{1, 2, 3}, {4, 5, 6}};
  Matrix<float> out = Matrix<float>::Constant(2, 4, -1);
  const auto batch = gather_columns(x, std::vector<std::uint32_t>{2, 0, 2}, View<float>(out));
  CHECK(batch == Matrix<float>{{3, 1, 3}, {6, 4, 6}});
  CHECK(batch.data() == out.data());
  CHECK(out.col(3) == Eigen::Vector2f(-1, -1));
  CHECK(gather_columns(x, std::vector<int>{}, View<float>(out)).cols() == 0);
}

TEST_CASE("gather: the values that are named") {
  const std::vector<int> labels{7, 8, 9};
  std::vector<int> out(4);
  const auto some = gather<int>(labels, std::vector<Index>{2, 2, 1}, out);
  CHECK(std::vector<int>(some.begin(), some.end()) == std::vector<int>{9, 9, 8});
}

TEST_CASE("gather_columns: batches cover a data set") {
  const Matrix<double> x = Matrix<double>::Random(3, 10);
  Matrix<double> out(3, 4);
  Batches batches(10, 4, Rng(1));
  double sum = 0;
  for (Index b = 0; b < batches.size(); ++b) sum += gather_columns(x, batches.indices(b), View<double>(out)).sum();
  CHECK(sum == doctest::Approx(x.sum()));
}

TEST_CASE("gather_columns: indices beyond the samples, other features and too little room are refused") {
  const Matrix<float> x = Matrix<float>::Zero(2, 3);
  Matrix<float> out(2, 2), wrong(3, 2);
  const std::vector<int> indices{0, 3}, negative{-1}, three{0, 1, 2};
  CHECK_THROWS_WITH_AS(gather_columns(x, indices, View<float>(out)), "eigan::gather_columns: sample 3 of 3",
                       std::invalid_argument);
  CHECK_THROWS_AS(gather_columns(x, negative, View<float>(out)), std::invalid_argument);
  CHECK_THROWS_WITH_AS(gather_columns(x, three, View<float>(out)),
                       "eigan::gather_columns: out is 2 x 2, expected 2 x 3 or more columns", std::invalid_argument);
  CHECK_THROWS_AS(gather_columns(x, negative, View<float>(wrong)), std::invalid_argument);
  std::vector<int> few(1);
  CHECK_THROWS_AS(gather<int>(three, three, few), std::invalid_argument);
  CHECK_THROWS_AS(gather<int>(three, indices, std::span<int>(few)), std::invalid_argument);
}
