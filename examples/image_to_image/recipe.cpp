#include "recipe.hpp"

namespace image_to_image {

Recipe unpaired(Recipe recipe) {
  recipe.method = Method::cycle_gan;
  recipe.architecture = Architecture::residual;
  recipe.g_channels = {16, 32, 64};
  recipe.blocks = 3;
  recipe.batch = 8;
  recipe.norm = Norm::instance;
  return recipe;
}

Recipe task_recipe(const std::string& task) {
  Recipe recipe;
  if (task == "edges2fashion") {
    recipe.epochs = 4;
    recipe.architecture = Architecture::full_unet;
    recipe.g_channels = {16, 32, 64};
    recipe.norm = Norm::batch;
    recipe.d_levels = 1;
    recipe.lr = 1e-3;
  } else if (task == "mnist2fonts") {
    recipe = unpaired(recipe);
    recipe.epochs = 3;
    recipe.batch = 16;
    recipe.blocks = 2;
    recipe.average = 0.999;
    recipe.cycle_weight = 0.3;  // with 10, and with the identity, it leaves pictures as they are
    recipe.identity_weight = 0;
    recipe.semantic_weight = 1;
    recipe.lr = 5e-4;
    recipe.mirror = false;
  } else if (task == "flat2shaded_shuffled") {
    recipe = unpaired(recipe);
    recipe.epochs = 20;
    recipe.batch = 16;
    recipe.architecture = Architecture::full_unet;
    recipe.g_channels = {16, 32, 64, 64};
    recipe.blocks = 2;
    recipe.average = 0.999;
    recipe.d_channels = 16;
    recipe.d_levels = 1;
    recipe.change = true;
    recipe.cycle_weight = 1;  // with 10, and with the identity, it leaves pictures as they are
    recipe.identity_weight = 0;
    recipe.lr = 5e-4;
    recipe.flat = 0.4;
    recipe.mirror = false;
  } else {  // few drawings, in colour
    recipe.norm = Norm::batch;
    recipe.lr = 1e-3;
    recipe.flat = 0.4;
    recipe.epochs = task == "outline2emoji" ? 20 : 40;
    if (task != "outline2emoji") recipe.loss = Losses::l1;
    if (task == "outline2fluent") recipe.g_channels = {24, 48, 96, 96, 96};
    if (task == "flat2shaded") {
      recipe.epochs = 60;
      recipe.dropout = 0.5;
      recipe.collage = true;
      recipe.change = true;
      recipe.mirror = false;  // light falls from one side
      recipe.architecture = Architecture::full_unet;
      recipe.g_channels = {16, 32, 64, 128, 128, 128};
    }
  }
  return recipe;
}

}  // namespace image_to_image
