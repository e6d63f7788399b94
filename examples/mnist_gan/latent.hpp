// Latent: where a generator's inputs come from: a random point z and, where it can be asked for a digit, that digit.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <eigan/core/rng.hpp>
#include <eigan/core/view.hpp>

namespace mnist_gan {

using eigan::Index;

/// The independent random streams that a seed is split into.
/// `Rng(seed).fold_in(stream::...)`. Saved runs depend on these numbers: add to them, never reorder.
namespace stream {
inline constexpr std::uint64_t generator_init = 0;
inline constexpr std::uint64_t discriminator_init = 1;
inline constexpr std::uint64_t batches = 2;
inline constexpr std::uint64_t steps = 3;
inline constexpr std::uint64_t samples = 4;
inline constexpr std::uint64_t statistics = 5;
inline constexpr std::uint64_t digits = 6;
inline constexpr std::uint64_t noise = 7;
}  // namespace stream

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
void write_code(std::span<const std::uint8_t> digits, float value, eigan::View<float> code);
/// A generator's input for each sample: z, a component, a digit. With components z is a mixture (as in Gurumurthy et
/// al. 2017, "DeLiGAN"): a generator that can jump from one kind of digit to another need not draw what lies between.
/// `digits` may be empty where there are no classes. truncation: a factor for z, below 1 for more typical and
/// less varied images. input: input_size x samples.
void draw_latent(const Latent& latent, std::span<const std::uint8_t> digits, eigan::View<float> input, eigan::Rng rng,
                 double truncation = 1);
/// Digits to ask for, all equally likely.
void draw_digits(std::span<std::uint8_t> digits, Index classes, eigan::Rng rng);
/// Samples of a run's sheet, and their digits: a row of ten for each where they can be asked for; else empty.
inline constexpr Index sheet_images = 100;
std::vector<std::uint8_t> sheet_digits(Index classes);
/// The inputs of a seed's sample sheets. Training and `sample` agree on them.
eigan::Matrix<float> sample_input(const Latent& latent, std::span<const std::uint8_t> digits, Index count,
                                  std::uint64_t seed, double truncation);

/// Images in a row of `mnist_gan sample --interpolate`.
inline constexpr Index walk_steps = 12;
/// Walks between latent points, as in figure 3 of Goodfellow et al. 2014: input_size x (walks * steps) from input_size
/// x (2 * walks), for steps > 1: each pair of neighbouring columns is the first and the last point of a walk in equal
/// steps along a straight line. A uniform z stays inside its cube there. A normal z would come too close to 0, where
/// the generator has hardly ever been, so it is scaled by 1 / sqrt((1 - t)^2 + t^2), which keeps its variance; the
/// codes of component and digit are mixed as they are.
eigan::Matrix<float> walks(const Latent& latent, eigan::ConstView<float> ends, Index steps);

}  // namespace mnist_gan
