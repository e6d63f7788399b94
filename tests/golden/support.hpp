// What the golden tests share: the fixtures, read in eigan's layout, and the comparison with its tolerance.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigan/core/parameter.hpp>
#include <eigan/core/view.hpp>
#include <eigan/io/safetensors.hpp>

namespace test {

using eigan::ConstView;
using eigan::Index;
using eigan::Matrix;

/// The fixture's file for scalars of type T: `gan.float32.safetensors`.
template <class T>
std::filesystem::path fixture_path(const std::string& name) {
  return std::filesystem::path(EIGAN_GOLDEN_FIXTURES) /
         (name + (std::is_same_v<T, float> ? ".float32" : ".float64") + ".safetensors");
}

/// The tensors of one file. PyTorch's [batch, features], row-major, is the memory of features x batch, column-major.
template <class T>
class Fixture {
 public:
  explicit Fixture(const std::string& name) : file_(eigan::SafetensorsFile::read(fixture_path<T>(name))) {}

  bool has(const std::string& name) const { return file_.find(name) != nullptr; }

  /// A tensor of T or double, flat.
  template <class Value = T>
  std::vector<Value> values(const std::string& name) const {
    const auto& tensor = find(name);
    // A fixture of the other precision would agree with less than it is supposed to.
    REQUIRE((tensor.dtype == eigan::dtype_of<Value>));
    std::vector<Value> result(file_.bytes(tensor).size() / sizeof(Value));
    file_.copy_to(tensor, std::span(result));
    return result;
  }

  /// A tensor, or its part `index` along the first extent: the last extent becomes the rows. A vector is one column.
  Matrix<T> matrix(const std::string& name, std::optional<Index> index = {}) const {
    auto shape = find(name).shape;
    const auto all = values(name);
    if (index) shape.erase(shape.begin());
    const auto rows = static_cast<Index>(shape.empty() ? 1 : shape.back());
    const auto size =
        static_cast<Index>(std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies{}));
    const Index first = index.value_or(0) * size;
    REQUIRE(first + size <= std::ssize(all));
    return ConstView<T>(all.data() + first, rows, size / rows);
  }
  T number(const std::string& name, std::optional<Index> index = {}) const {
    const auto m = matrix(name, index);
    REQUIRE(m.size() == 1);
    return m(0, 0);
  }

  /// A network's parameters, their gradients, or its state, in the order of eigan's flat buffer.
  std::vector<T> parameters(const std::vector<eigan::Parameter>& parameters, const std::string& prefix,
                            std::optional<Index> index = {}) const {
    std::vector<T> flat;
    for (const eigan::Parameter& p : parameters) {
      REQUIRE(p.offset == std::ssize(flat));
      const Matrix<T> in_file = matrix(prefix + p.name, index);
      REQUIRE(in_file.size() == p.size());
      Matrix<T> in_buffer(p.rows, p.cols);
      const T* from = in_file.data();
      p.for_each_in_file_order([&](Index place) { in_buffer.data()[place] = *from++; });
      flat.insert(flat.end(), in_buffer.data(), in_buffer.data() + p.size());
    }
    return flat;
  }

 private:
  const eigan::TensorInfo& find(const std::string& name) const {
    INFO("tensor ", name);
    REQUIRE(has(name));
    return *file_.find(name);
  }

  eigan::SafetensorsFile file_;
};

/// How far eigan may be from PyTorch, relative to each element. Elements below `smallest` are taken as that large: the
/// rounding errors of a sum do not shrink with its result. In float that allows 1e-7, about a last place of 1.
template <class T>
inline constexpr double tolerance = std::is_same_v<T, float> ? 1e-5 : 1e-10;
inline constexpr double smallest = 1e-2;

/// Compares, and tells the largest error at its end.
template <class T>
class Agreement {
 public:
  explicit Agreement(std::string name) : name_(std::move(name)) {}
  Agreement(const Agreement&) = delete;
  Agreement& operator=(const Agreement&) = delete;
  ~Agreement() { MESSAGE(name_, ": worst error ", worst_, " at ", where_); }

  void check(const std::string& what, std::type_identity_t<ConstView<T>> actual,
             std::type_identity_t<ConstView<T>> expected) {
    REQUIRE((actual.rows() == expected.rows() && actual.cols() == expected.cols()));
    Index wrong = 0;
    std::string first;
    for (Index j = 0; j < actual.cols(); ++j)
      for (Index i = 0; i < actual.rows(); ++i) {
        const auto a = static_cast<double>(actual(i, j)), e = static_cast<double>(expected(i, j));
        const double error = std::abs(a - e) / std::max(std::abs(e), smallest);
        if (error > worst_) {
          worst_ = error;
          where_ = eigan::detail::concat(what, " (", i, ", ", j, ")");
        }
        const bool agrees = error <= tolerance<T>;  // false for a NaN
        if (!agrees && wrong++ == 0) first = eigan::detail::concat("(", i, ", ", j, ") is ", a, ", should be ", e);
      }
    INFO(name_, ", ", what, ": first at ", first);
    CHECK(wrong == 0);
  }
  void check(const std::string& what, std::span<const T> actual, std::span<const T> expected) {
    check(what, ConstView<T>(actual.data(), std::ssize(actual), 1),
          ConstView<T>(expected.data(), std::ssize(expected), 1));
  }
  void check(const std::string& what, T actual, T expected) {
    check(what, ConstView<T>(&actual, 1, 1), ConstView<T>(&expected, 1, 1));
  }

 private:
  std::string name_;
  double worst_ = 0;
  std::string where_ = "no place";
};

}  // namespace test
