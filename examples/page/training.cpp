#include "training.hpp"

#include <algorithm>
#include <utility>

#include <eigan/core/error.hpp>
#include <eigan/data/idx.hpp>
#include <eigan/io/model_file.hpp>

#include "mnist_gan/generator_metadata.hpp"
#include "mnist_gan/latent.hpp"

namespace page {

namespace {

constexpr Index sheet_columns = 10;

eigan::LabelledImages read_images(std::span<const std::uint8_t> idx) {
  eigan::MemorySource source(idx, "the images");
  eigan::IdxImages images = eigan::read_idx_images(source);
  if (images.rows * images.cols != mnist_gan::image_size)
    eigan::detail::fail_data("expected images of 28x28 pixels, found ", images.cols, 'x', images.rows);
  return {images.rows, images.cols, images.count, std::move(images.pixels), {}};
}

}  // namespace

mnist_gan::Recipe page_recipe() {
  mnist_gan::Recipe recipe = mnist_gan::quick_recipe();
  recipe.name = "page";
  recipe.holdout = 0;
  recipe.schedule = mnist_gan::Schedule::constant;
  return recipe;
}

Training::Training(std::span<const std::uint8_t> idx, std::uint64_t seed)
    : seed_(seed),
      images_(read_images(idx)),
      gan_(page_recipe(), images_, seed, eigan::Threads{1}),
      input_(mnist_gan::sample_input(page_recipe().latent_space(), {}, sheet_columns * sheet_columns, seed,
                                     page_recipe().truncation)) {}

std::array<double, 4> Training::run(Index steps) {
  std::array<double, 4> means{};
  for (Index step = 0; step < steps; ++step) {
    const std::vector<double> measured = gan_.step(steps_++);
    for (std::size_t i = 0; i < means.size(); ++i) means[i] += measured[i] / static_cast<double>(steps);
  }
  return means;
}

Canvas Training::sheet() {
  return canvas(gan_.generator().infer(input_, eigan::Threads{1}), {mnist_gan::image_size}, sheet_columns);
}

std::vector<std::byte> Training::file() {
  const Index epoch = steps_ / std::max<Index>(gan_.steps_per_epoch(), 1);
  return eigan::model_bytes(gan_.generator(), mnist_gan::metadata("generator", page_recipe(), seed_, epoch, steps_));
}

}  // namespace page
