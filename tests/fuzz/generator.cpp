// What `mnist_gan sample` makes of a generator's file: a generator of finite size, or a refusal.
#include <eigan/io/safetensors.hpp>

#include "mnist_gan/generator.hpp"

#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::accepts([&] {
    const eigan::SafetensorsFile file(fuzz::copy_of({data, size}), "f");
    const auto generator = mnist_gan::load_generator(file);
    fuzz::require(static_cast<std::size_t>(generator.model.param_size()) <= size);
    const auto latent = generator.latent();
    fuzz::require(latent.size > 0 && latent.components >= 0 && latent.input_size() > 0);
    const eigan::Matrix<float> input = eigan::Matrix<float>::Zero(latent.input_size(), 2);
    fuzz::require(generator.images(input, eigan::Threads{1}).rows() == 784);
  });
  return 0;
}
