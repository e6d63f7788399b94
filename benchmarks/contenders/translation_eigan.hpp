// eigan: whole steps of Pix2Pix and CycleGAN as examples/image_to_image takes them, by its own code and recipes.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include <eigan/core/parallel.hpp>

#include "../image_steps.hpp"
#include "image_to_image/cycle_gan.hpp"
#include "image_to_image/pix2pix.hpp"
#include "images_eigan.hpp"

namespace bench {

/// The task's networks and the papers' losses, without chance, at the learning rate of all contenders.
inline image_to_image::Recipe translation_recipe(const ImageStep& step) {
  image_to_image::Recipe recipe = image_to_image::task_recipe(step.task);
  recipe.batch = step.batch;
  recipe.dropout = 0;
  recipe.pool = recipe.jitter = 0;
  recipe.cycle_weight = 10, recipe.identity_weight = 0.5;
  recipe.semantic_weight = recipe.average = 0;
  recipe.mirror = recipe.collage = false;
  recipe.flat = 1;
  recipe.lr = translation_lr;
  return recipe;
}

/// Pictures of noise, channels last. They are one batch, because losses of a batch do not ask for its order.
inline image_to_image::PictureSet noise_pictures(const ImageStep& step, int channels, int pool) {
  image_to_image::PictureSet set{step.batch, step.side, step.side, channels, {}};
  const auto pixels = static_cast<std::size_t>(step.side * step.side), depth = static_cast<std::size_t>(channels);
  for (std::size_t picture = 0; picture < static_cast<std::size_t>(step.batch); ++picture)
    for (std::size_t pixel = 0; pixel < pixels; ++pixel)
      for (std::size_t c = 0; c < depth; ++c)
        set.bytes.push_back(picture_byte(pool, (picture * depth + c) * pixels + pixel));
  return set;
}

/// Visits what a training consists of and gives its networks the weights that every contender has.
class FillNetworks {
 public:
  template <class Part, class... Limits>
  void operator()(std::string_view, Part&& part, Limits...) {
    if constexpr (requires { fill_weights(part, 0); })
      fill_weights(part, number_++);
    else if constexpr (requires { part.visit_state(*this); })
      part.visit_state(*this);
  }

 private:
  int number_ = 0;
};

template <class Method>
int serve_method(const ImageStep& step, const image_to_image::Recipe& recipe, eigan::Threads threads) {
  image_to_image::TwoDomains pictures;
  pictures.a = noise_pictures(step, step.from_channels, 0);
  pictures.b = noise_pictures(step, step.channels, 1);
  Method method(recipe, pictures, 1, threads);
  FillNetworks fill;
  method.visit_state(fill);
  // Adversarial losses come first; L1 alone has none.
  const std::ptrdiff_t first = recipe.loss == image_to_image::Losses::l1 ? 2 : 0;
  eigan::Index number = 0;
  return serve_eigan([&](std::vector<double>* losses) {
    const std::vector<double> all = method.step(number++);
    if (losses != nullptr) losses->insert(losses->end(), all.begin() + first, all.end());
  });
}

inline int serve_translation(const ImageStep& step, eigan::Threads threads) {
  const image_to_image::Recipe recipe = translation_recipe(step);
  return recipe.method == image_to_image::Method::cycle_gan
             ? serve_method<image_to_image::CycleGan>(step, recipe, threads)
             : serve_method<image_to_image::Pix2Pix>(step, recipe, threads);
}

}  // namespace bench
