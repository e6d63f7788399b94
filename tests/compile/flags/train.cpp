// A short GAN training, compiled several times with different flags; see the list in ../CMakeLists.txt.
// All memory is eigan's own: Eigen allocates its matrices differently with AVX, so code with different flags must not
// share functions that own one.
#include <cstdint>
#include <cstring>

#include <eigan/eigan.hpp>

#include "variants.hpp"

namespace {

using namespace eigan;

/// FNV-1a over the bits of every value: two hashes that agree mean that every value agrees.
std::uint64_t hash(std::uint64_t seed, std::span<const float> values) {
  for (const float value : values) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    seed = (seed ^ bits) * 0x100000001B3u;
  }
  return seed;
}

std::uint64_t train() {
  constexpr Index latent = 10, pixels = 70, batch = 67;
  Model<Generator<latent, 48, pixels>> generator(make_generator<latent, 48, pixels>(), Rng(1));
  Model<Discriminator<pixels, 40, 1>> discriminator(make_discriminator<pixels, 40, 1>(), Rng(2));
  GanWorkspace workspace(generator, discriminator, batch);
  Adam<float> g_optimizer(generator.param_size()), d_optimizer(discriminator.param_size());
  const NonSaturatingLoss loss{.real_label = 0.9};

  BufferMatrix<float> real(pixels, batch), z(latent, batch), images(pixels, batch);
  for (std::uint64_t step = 0; step < 10; ++step) {
    const Rng rng = Rng(3).fold_in(step);
    fill_uniform(real.view(), -1, 1, rng.fold_in(0));
    fill_uniform(z.view(), -1, 1, rng.fold_in(1));
    discriminator_step(generator, discriminator, d_optimizer, workspace, real.view(), z.view(), rng.fold_in(2), loss,
                       Threads{2});
    generator_step(generator, discriminator, g_optimizer, workspace, z.view(), rng.fold_in(3), loss, Threads{2});
  }
  auto scratch = generator.scratch();
  generator.infer(z.view(), images.view(), scratch);

  std::uint64_t result = hash(0xCBF29CE484222325u, generator.params());
  result = hash(result, discriminator.params());
  for (Index j = 0; j < batch; ++j) result = hash(result, {images.view().columns(j, 1).data(), pixels});
  return result;
}

[[maybe_unused]] const bool registered = (variants().push_back({EIGAN_VARIANT, train}), true);

}  // namespace
