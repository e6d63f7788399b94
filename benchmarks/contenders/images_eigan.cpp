// eigan: the whole training step of a network of images.
#include <cstdint>
#include <vector>

#include <eigan/core/planar.hpp>
#include <eigan/eigan.hpp>

#include "../image_steps.hpp"
#include "images_eigan.hpp"
#include "translation_eigan.hpp"

namespace {

using namespace eigan;

/// Several batches of images of noise.
BufferMatrix<float> noise_images(const bench::ImageStep& step, int pool) {
  Matrix<float> planar(static_cast<Index>(step.image()), step.batch * bench::batches_of_images);
  for (Index i = 0; i < planar.size(); ++i)
    planar.data()[i] = bench::noise(bench::image_stream(pool), static_cast<std::uint32_t>(i));
  BufferMatrix<float> images(planar.rows(), planar.cols());
  from_planar<float>(planar, images.view(), {step.channels, step.side, step.side});
  return images;
}
View<float> batch_of(BufferMatrix<float>& images, const bench::ImageStep& step, long number) {
  return images.view().columns(number % bench::batches_of_images * step.batch, step.batch);
}

using Generator =
    Sequential<Linear<bench::latent_size, 6272>, Unflatten<128, 7, 7>, BatchNorm2d<128>, ReLU,
               ConvTranspose2d<128, 64, 4, 2, 1>, BatchNorm2d<64>, ReLU, ConvTranspose2d<64, 1, 4, 2, 1>, Tanh>;

int serve_dcgan(const bench::ImageStep& step, Threads threads) {
  const LeakyReLU leaky(bench::leaky_slope);
  Model discriminator(Sequential(Input<1, 28, 28>(), Conv2d<1, 64, 4, 2, 1>(), leaky, Conv2d<64, 128, 4, 2, 1>(),
                                 BatchNorm2d<128>(), leaky, Flatten(), Linear<6272, 1>()),
                      Rng(1));
  Model<Generator> generator(Rng(2));
  bench::fill_weights(discriminator, 0);
  bench::fill_weights(generator, 1);
  const AdamOptions options{.lr = bench::adam_lr, .beta1 = bench::adam_beta1};
  Adam<> discriminator_adam(discriminator.param_size(), options), generator_adam(generator.param_size(), options);
  GanWorkspace workspace(generator, discriminator, step.batch);
  BufferMatrix<float> images = noise_images(step, 0), z(bench::latent_size, step.batch);
  long number = 0;
  return bench::serve_eigan([&](std::vector<double>* losses) {
    for (Index j = 0; j < step.batch; ++j)
      for (Index i = 0; i < bench::latent_size; ++i)
        z.view()(i, j) =
            bench::noise(bench::latent_stream(number), static_cast<std::uint32_t>(j * bench::latent_size + i));
    const auto d =
        discriminator_step(generator, discriminator, discriminator_adam, workspace, batch_of(images, step, number++),
                           z.view(), Rng(0), NonSaturatingLoss{}, threads, Halves::apart);
    const auto g =
        generator_step(generator, discriminator, generator_adam, workspace, Rng(0), NonSaturatingLoss{}, threads);
    if (losses != nullptr) losses->insert(losses->end(), {static_cast<double>(d.loss), static_cast<double>(g.loss)});
  });
}

/// f(x) beside x: half as high and wide, with twice the channels, and back to Out channels.
template <Index Channels, Index Out, class... Inner>
auto level(Inner... inner) {
  return SkipConnection(LeakyReLU(bench::leaky_slope), Conv2d<Channels, 2 * Channels, 4, 2, 1>(),
                        InstanceNorm2d<2 * Channels>(), inner..., ReLU(), ConvTranspose2d<Out, Channels, 4, 2, 1>(),
                        InstanceNorm2d<Channels>());
}

int serve_unet(const bench::ImageStep& step, Threads threads) {
  Model model(
      Sequential(Input<3, 64, 64>(), Conv2d<3, 32, 4, 2, 1>(), level<32, 128>(level<64, 256>(level<128, 256>())),
                 ReLU(), ConvTranspose2d<64, 3, 4, 2, 1>(), Tanh()),
      Rng(1));
  bench::fill_weights(model, 0);
  Adam<> adam(model.param_size(), {.lr = bench::adam_lr, .beta1 = bench::adam_beta1});
  auto tape = model.tape(step.batch);
  auto gradient = model.zeros();
  BufferMatrix<float> images = noise_images(step, 0), targets = noise_images(step, 1);
  long number = 0;
  return bench::serve_eigan([&](std::vector<double>* losses) {
    const auto y = model.forward(tape, batch_of(images, step, number), threads);
    const float loss = l1<float>(y, batch_of(targets, step, number++), tape.output_gradient());
    backward_and_step(model, tape, adam, gradient, threads);
    if (losses != nullptr) losses->push_back(static_cast<double>(loss));
  });
}

}  // namespace

int main(int argc, char** argv) {
  return bench::image_contender_main(argc, argv, [](const bench::ImageStep& step, int threads) {
    if (step.translates()) return bench::serve_translation(step, {threads});
    return step.name == "dcgan" ? serve_dcgan(step, {threads}) : serve_unet(step, {threads});
  });
}
