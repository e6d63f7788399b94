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
  Index size;        ///< of z
  bool normal;       ///< z normal; else uniform in [-1, 1)
  Index components;  ///< one-hot code behind z, drawn with it; 0: none
  Index classes;     ///< digits that can be asked for, as a one-hot code behind that: 0 or 10

  Index input_size() const { return size + components + classes; }
};

/// What a generator is given for 1 in a one-hot code: next to tens of numbers of about 1, a 1 would be overheard.
inline constexpr float code_scale = 3;

/// `value` in the row of each sample's digit, 0 elsewhere.  code: classes x samples.
inline void write_code(std::span<const std::uint8_t> digits, float value, eigan::View<float> code) {
  code.setZero();
  for (Index j = 0; j < code.cols(); ++j) code(digits[static_cast<std::size_t>(j)], j) = value;
}

/// A generator's input for each sample: z, a component, a digit. With components z is a mixture (as in Gurumurthy et
/// al. 2017, "DeLiGAN"): a generator that can jump from one kind of digit to another need not draw what lies between.
/// `digits` may be empty where there are no classes. truncation: a factor for a normal z, below 1 for more typical and
/// less varied images. input: input_size x samples.
inline void draw_latent(const Latent& latent, std::span<const std::uint8_t> digits, eigan::View<float> input,
                        eigan::Rng rng, double truncation = 1) {
  const auto rows = [&](Index first, Index count) {
    return eigan::View<float>(input.data() + first, count, input.cols(), input.outerStride());
  };
  if (latent.normal)
    eigan::fill_normal(rows(0, latent.size), 0, truncation, rng);
  else
    eigan::fill_uniform(rows(0, latent.size), -1, 1, rng);
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

/// Digits to ask for, all equally likely.
inline void draw_digits(std::span<std::uint8_t> digits, Index classes, eigan::Rng rng) {
  for (std::size_t i = 0; i < digits.size(); ++i)
    digits[i] = static_cast<std::uint8_t>(eigan::uniform_below(rng, i, static_cast<std::uint32_t>(classes)));
}

/// The inputs of a seed's sample sheets. Training and `sample` agree on them.
inline eigan::Matrix<float> sample_input(const Latent& latent, std::span<const std::uint8_t> digits, Index count,
                                         std::uint64_t seed, double truncation) {
  eigan::Matrix<float> input(latent.input_size(), count);
  draw_latent(latent, digits, input, eigan::Rng(seed).fold_in(stream::samples), truncation);
  return input;
}

}  // namespace mnist_gan
