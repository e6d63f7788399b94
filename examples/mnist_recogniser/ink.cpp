#include "ink.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <eigan/core/error.hpp>
#include <Eigen/Cholesky>

namespace mnist_recogniser {
namespace {

using eigan::Matrix;

/// A picture is made no larger than this: a digit is 20 pixels in the end.
constexpr Index most_side = 256;
/// The least difference, of 255, that can be a digit.
constexpr float least_contrast = 16;
/// Of the strongest ink: what is less belongs to the ground.
constexpr float least_strength = 0.2f;

/// The value at `part` of the way from the smallest to the largest.
template <class Values>
float quantile(Values values, double part) {
  const auto place = values.begin() + std::lround(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), place, values.end());
  return static_cast<float>(*place);
}

/// Rows [top, bottom) and columns [left, right).
struct Window {
  Index top, bottom, left, right;
  bool has_room() const { return bottom - top > 8 && right - left > 8; }
};

/// The pixels at the edges of a window: above, below, left, right.
std::array<std::vector<std::uint8_t>, 4> edges(const GreyImage& image, const Window& w) {
  std::array<std::vector<std::uint8_t>, 4> lines;
  for (Index col = w.left; col < w.right; ++col) {
    lines[0].push_back(image.at(w.top, col));
    lines[1].push_back(image.at(w.bottom - 1, col));
  }
  for (Index row = w.top; row < w.bottom; ++row) {
    lines[2].push_back(image.at(row, w.left));
    lines[3].push_back(image.at(row, w.right - 1));
  }
  return lines;
}

/// Whether the window's edges are a line of one colour around a ground of another.
bool is_framed(const GreyImage& image, const Window& w) {
  constexpr float alike = 32, different = 48;
  std::vector<std::uint8_t> inside;
  const Index step = 1 + std::max(w.bottom - w.top, w.right - w.left) / 64;
  for (Index row = w.top + 1; row < w.bottom - 1; row += step)
    for (Index col = w.left + 1; col < w.right - 1; col += step) inside.push_back(image.at(row, col));
  const float ground = quantile(inside, 0.5);
  float darkest = 255, lightest = 0;
  for (const auto& line : edges(image, w)) {
    const float middle = quantile(line, 0.5);
    if (quantile(line, 0.9) - quantile(line, 0.1) > alike || std::abs(middle - ground) < different) return false;
    darkest = std::min(darkest, middle), lightest = std::max(lightest, middle);
  }
  return lightest - darkest <= alike;
}

Window without_frame(const GreyImage& image) {
  Window w{0, image.rows, 0, image.cols};
  const Index thickest = std::min(image.rows, image.cols) / 8;
  for (Index i = 0; i < thickest && w.has_room() && is_framed(image, w); ++i) ++w.top, --w.bottom, ++w.left, --w.right;
  return w;
}

/// The window's pixels, no more of them than needed.
Matrix<float> pixels_of(const GreyImage& image, const Window& w) {
  Matrix<float> pixels(w.bottom - w.top, w.right - w.left);
  for (Index row = 0; row < pixels.rows(); ++row)
    for (Index col = 0; col < pixels.cols(); ++col)
      pixels(row, col) = static_cast<float>(image.at(w.top + row, w.left + col));
  const Index longest = std::max(pixels.rows(), pixels.cols());
  if (longest <= most_side) return pixels;
  const auto smaller = [&](Index side) { return std::max<Index>(side * most_side / longest, 1); };
  const Index rows = smaller(pixels.rows()), cols = smaller(pixels.cols());
  pixels = with_rows(pixels, rows).transpose().eval();
  return with_rows(pixels, cols).transpose();
}

using Terms = Eigen::Vector<double, 6>;

/// Of the surface a + b x + c y + d x^2 + e x y + f y^2, x and y from -1 to 1.
Terms terms_at(Index row, Index col, Index rows, Index cols) {
  const auto scaled = [](Index i, Index n) {
    return n > 1 ? 2.0 * static_cast<double>(i) / static_cast<double>(n - 1) - 1 : 0;
  };
  const double x = scaled(col, cols), y = scaled(row, rows);
  return {1, x, y, x * x, x * y, y * y};
}

struct Ground {
  Matrix<float> light;
  float noise = 0;  ///< standard deviation of the ground from the surface
};

Ground fit_ground(const Matrix<float>& pixels) {
  constexpr Index most_points = 64;  // a side
  constexpr double least_scale = 2;
  constexpr int rounds = 12;
  const Index step = (std::max(pixels.rows(), pixels.cols()) + most_points - 1) / most_points;
  std::vector<Terms> places;
  std::vector<double> values;
  for (Index row = step / 2; row < pixels.rows(); row += step)
    for (Index col = step / 2; col < pixels.cols(); col += step) {
      places.push_back(terms_at(row, col, pixels.rows(), pixels.cols()));
      values.push_back(static_cast<double>(pixels(row, col)));
    }
  Terms surface = Terms::Zero();
  surface[0] = static_cast<double>(quantile(values, 0.5));
  std::vector<double> distances(values.size());
  double scale = 0;
  for (int round = 0;; ++round) {
    for (std::size_t i = 0; i < values.size(); ++i) distances[i] = std::abs(values[i] - places[i].dot(surface));
    scale = 1.48 * static_cast<double>(quantile(distances, 0.5));  // a normal distribution's standard deviation
    if (round == rounds) break;
    Eigen::Matrix<double, 6, 6> products = 1e-6 * Eigen::Matrix<double, 6, 6>::Identity();
    Terms sums = Terms::Zero();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double ratio = distances[i] / std::max(scale, least_scale),
                   weight = 1 / ((1 + ratio * ratio) * (1 + ratio * ratio));
      products += weight * places[i] * places[i].transpose();
      sums += weight * values[i] * places[i];
    }
    surface = products.ldlt().solve(sums);
  }
  Ground ground{Matrix<float>(pixels.rows(), pixels.cols()), static_cast<float>(scale)};
  for (Index row = 0; row < pixels.rows(); ++row)
    for (Index col = 0; col < pixels.cols(); ++col)
      ground.light(row, col) = static_cast<float>(terms_at(row, col, pixels.rows(), pixels.cols()).dot(surface));
  return ground;
}

}  // namespace

Ink find_ink(const GreyImage& image) {
  const Matrix<float> pixels = pixels_of(image, without_frame(image));
  const Ground ground = fit_ground(pixels);
  Matrix<float> ink = pixels - ground.light;
  const float dark = -ink.minCoeff(), light = ink.maxCoeff();
  // Noise alone reaches four standard deviations.
  if (std::max(dark, light) < std::max(least_contrast, 6 * ground.noise))
    eigan::detail::fail_data("expected a digit, found an image of nearly one colour");
  float noise = 4 * ground.noise;
  if (dark > light) {
    const Matrix<float> lit = ground.light.cwiseMax(least_contrast);
    ink = (-ink).cwiseQuotient(lit);
    noise /= lit.mean();
  }
  ink = ink.cwiseMax(0.0f);
  const float strongest = ink.maxCoeff();
  ink /= strongest;
  return {std::move(ink), std::max(least_strength, noise / strongest)};
}

Matrix<float> with_rows(const Matrix<float>& in, Index rows) {
  Matrix<float> out = Matrix<float>::Zero(rows, in.cols());
  const float step = static_cast<float>(in.rows()) / static_cast<float>(rows), reach = std::max(step, 1.0f);
  for (Index i = 0; i < rows; ++i) {
    const float place = (static_cast<float>(i) + 0.5f) * step - 0.5f;
    const Index first = std::max<Index>(static_cast<Index>(std::ceil(place - reach)), 0);
    const Index last = std::min<Index>(static_cast<Index>(std::floor(place + reach)), in.rows() - 1);
    float sum = 0;
    for (Index j = first; j <= last; ++j) {
      // At the ends rounding could let it fall below 0.
      const float weight = std::max(1 - std::abs(static_cast<float>(j) - place) / reach, 0.0f);
      out.row(i) += weight * in.row(j);
      sum += weight;
    }
    out.row(i) /= sum;
  }
  return out;
}

}  // namespace mnist_recogniser
