// Latent: where a generator's inputs come from: a random point z and, where it can be asked for a digit, that digit.
#pragma once

#include <cstdint>
#include <span>

#include <eigan/core/random.hpp>
#include <eigan/core/view.hpp>
#include <eigan/data/batches.hpp>

#include "streams.hpp"

namespace mnist_gan {

using eigan::Index;

struct Latent {
  Index size;     ///< of z
  bool normal;    ///< z normal; else uniform in [-1, 1)
  Index classes;  ///< digits that can be asked for: 0 or 10

  Index input_size() const { return size + classes; }
};

/// 1 in the row of each sample's digit, 0 elsewhere.  one_hot: classes x samples.
template <class Label>
void write_one_hot(std::span<const Label> digits, eigan::View<float> one_hot) {
  one_hot.setZero();
  for (Index j = 0; j < one_hot.cols(); ++j) one_hot(static_cast<Index>(digits[static_cast<std::size_t>(j)]), j) = 1;
}

/// A generator's input for each sample: z, then the digit's one-hot code. `digits` may be empty where there are no
/// classes. input: input_size x samples.
inline void draw_latent(const Latent& latent, std::span<const std::uint8_t> digits, eigan::View<float> input,
                        eigan::Rng rng) {
  const eigan::View<float> z(input.data(), latent.size, input.cols(), input.outerStride());
  if (latent.normal)
    eigan::fill_normal(z, 0, 1, rng);
  else
    eigan::fill_uniform(z, -1, 1, rng);
  if (latent.classes > 0)
    write_one_hot(digits, {input.data() + latent.size, latent.classes, input.cols(), input.outerStride()});
}

/// Digits to ask for, all equally likely.
inline void draw_digits(std::span<std::uint8_t> digits, Index classes, eigan::Rng rng) {
  for (std::size_t i = 0; i < digits.size(); ++i)
    digits[i] = static_cast<std::uint8_t>(eigan::uniform_below(rng, i, static_cast<std::uint32_t>(classes)));
}

/// The inputs of a seed's sample sheets. Training and `sample` agree on them.
inline eigan::Matrix<float> sample_input(const Latent& latent, std::span<const std::uint8_t> digits, Index count,
                                         std::uint64_t seed) {
  eigan::Matrix<float> input(latent.input_size(), count);
  draw_latent(latent, digits, input, eigan::Rng(seed).fold_in(stream::samples));
  return input;
}

}  // namespace mnist_gan
