#include "latent.hpp"

#include <cmath>
#include <cstddef>

#include <eigan/core/random.hpp>
#include <eigan/data/batches.hpp>

namespace mnist_gan {

void write_code(std::span<const std::uint8_t> digits, float value, eigan::View<float> code) {
  code.setZero();
  for (Index j = 0; j < code.cols(); ++j) code(digits[static_cast<std::size_t>(j)], j) = value;
}

void draw_latent(const Latent& latent, std::span<const std::uint8_t> digits, eigan::View<float> input, eigan::Rng rng,
                 double truncation) {
  const auto rows = [&](Index first, Index count) {
    return eigan::View<float>(input.data() + first, count, input.cols(), input.outerStride());
  };
  if (latent.normal)
    eigan::fill_normal(rows(0, latent.size), 0, truncation, rng);
  else
    eigan::fill_uniform(rows(0, latent.size), -truncation, truncation, rng);
  if (latent.components > 0) {
    eigan::View<float> code = rows(latent.size, latent.components);
    code.setZero();
    const eigan::Rng choice = rng.fold_in(1);
    for (Index j = 0; j < input.cols(); ++j) {
      const auto component =
          eigan::uniform_below(choice, static_cast<std::uint64_t>(j), static_cast<std::uint32_t>(latent.components));
      code(static_cast<Index>(component), j) = code_scale;
    }
  }
  if (latent.classes > 0) write_code(digits, code_scale, rows(latent.size + latent.components, latent.classes));
}

void draw_digits(std::span<std::uint8_t> digits, Index classes, eigan::Rng rng) {
  for (std::size_t i = 0; i < digits.size(); ++i)
    digits[i] = static_cast<std::uint8_t>(eigan::uniform_below(rng, i, static_cast<std::uint32_t>(classes)));
}

std::vector<std::uint8_t> sheet_digits(Index classes) {
  std::vector<std::uint8_t> digits(classes > 0 ? sheet_images : 0);
  for (std::size_t i = 0; i < digits.size(); ++i) digits[i] = static_cast<std::uint8_t>(i / 10);
  return digits;
}

eigan::Matrix<float> sample_input(const Latent& latent, std::span<const std::uint8_t> digits, Index count,
                                  std::uint64_t seed, double truncation) {
  eigan::Matrix<float> input(latent.input_size(), count);
  draw_latent(latent, digits, input, eigan::Rng(seed).fold_in(stream::samples), truncation);
  return input;
}

eigan::Matrix<float> walks(const Latent& latent, eigan::ConstView<float> ends, Index steps) {
  eigan::Matrix<float> input(ends.rows(), ends.cols() / 2 * steps);
  for (Index column = 0; column < input.cols(); ++column) {
    const Index first = column / steps * 2;
    const float t = static_cast<float>(column % steps) / static_cast<float>(steps - 1);
    input.col(column) = (1 - t) * ends.col(first) + t * ends.col(first + 1);
    if (latent.normal) input.col(column).head(latent.size) /= std::sqrt((1 - t) * (1 - t) + t * t);
  }
  return input;
}

}  // namespace mnist_gan
