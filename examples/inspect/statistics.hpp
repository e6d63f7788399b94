// What one tensor's elements are like, read a piece at a time: files may be larger than what is left of the memory.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include <eigan/io/safetensors.hpp>

namespace inspect {

/// Of the finite elements; NaN where there are none.
struct Statistics {
  std::uint64_t finite = 0, not_finite = 0;
  double least = std::numeric_limits<double>::quiet_NaN();
  double largest = std::numeric_limits<double>::quiet_NaN();
  double mean = std::numeric_limits<double>::quiet_NaN();
  double deviation = std::numeric_limits<double>::quiet_NaN();  ///< standard deviation, divided by the count

  /// One more finite element, by Welford's update: it loses no digits to a large mean.
  void add(double x) {
    if (finite == 0) least = largest = x, mean = deviation = 0;
    least = std::min(least, x), largest = std::max(largest, x);
    const double from_old = x - mean;
    mean += from_old / static_cast<double>(++finite);
    squares_ += from_old * (x - mean);
    deviation = std::sqrt(squares_ / static_cast<double>(finite));
  }

 private:
  double squares_ = 0;  // of distances from the mean
};

/// Nothing for elements that are not floating-point numbers.
inline std::optional<Statistics> statistics(const eigan::SafetensorsFile& file, const eigan::TensorInfo& tensor) {
  using eigan::Dtype;
  const auto is_float = [](Dtype d) {
    return d == Dtype::f64 || d == Dtype::f32 || d == Dtype::f16 || d == Dtype::bf16;
  };
  if (!is_float(tensor.dtype)) return std::nullopt;
  std::array<double, 1024> values;
  const std::uint64_t piece = values.size() * eigan::dtype_size(tensor.dtype);
  Statistics result;
  eigan::TensorInfo part = tensor;
  for (part.begin = tensor.begin; part.begin < tensor.end; part.begin = part.end) {
    part.end = std::min(tensor.end, part.begin + piece);
    const auto some =
        std::span(values).first(static_cast<std::size_t>((part.end - part.begin) / eigan::dtype_size(tensor.dtype)));
    file.copy_to<double>(part, some);
    for (const double x : some) {
      if (std::isfinite(x))
        result.add(x);
      else
        ++result.not_finite;
    }
  }
  return result;
}

}  // namespace inspect
