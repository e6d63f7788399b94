// eigan: the whole step, as a training program takes it (with nothing in it that older revisions spell in another way):
// pixels of a shuffled batch to [-1, 1], latent vectors, both networks forward and backward with dropout, losses, Adam.
// VARIANT: openmp or pool, the engine. Compiled with EIGAN_BENCH_SHARES it says in the end how equal the parts were.
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <vector>

#ifdef EIGAN_BENCH_SHARES
#include "../paired/shares.hpp"
#endif

#include <eigan/data/batches.hpp>
#include <eigan/data/labelled_images.hpp>
#include <eigan/eigan.hpp>

#include "../paired/serve.hpp"
#include "options.hpp"

#ifndef EIGAN_BENCH_NAME
#define EIGAN_BENCH_NAME "eigan, whole step"
#endif

namespace {

using namespace eigan;

/// Images of noise, more of them than caches hold.
LabelledImages synthetic_images() {
  LabelledImages images{28, 28, 16384, {}, {}};
  images.pixels.resize(static_cast<std::size_t>(images.count * images.features()));
  images.labels.resize(static_cast<std::size_t>(images.count));
  for (std::size_t i = 0; i < images.pixels.size(); i += 4) {
    const Rng::Words words = Rng(1).block(i, 0);
    for (std::size_t w = 0; w < 4; ++w) images.pixels[i + w] = static_cast<std::uint8_t>(words[w] >> 24);
  }
  for (std::size_t i = 0; i < images.labels.size(); ++i) images.labels[i] = static_cast<std::uint8_t>(i * 7 % 10);
  return images;
}

/// By all threads, where the revision knows how.
template <class Images>
void convert(const Images& images, std::span<const std::uint32_t> indices, View<float> out, Threads threads) {
  if constexpr (requires { pixels_to_unit(images, indices, out, threads); })
    pixels_to_unit(images, indices, out, threads);
  else
    pixels_to_unit(images, indices, out);
}

/// Shuffled batches without end; only whole ones.
class Stream {
 public:
  Stream(const LabelledImages& images, Index batch) : batches_(images.count / batch * batch, batch, Rng(2)) {}

  std::span<const std::uint32_t> next() {
    if (batch_ == batches_.size()) {
      batches_.start_epoch(++epoch_);
      batch_ = 0;
    }
    return batches_.indices(batch_++);
  }

 private:
  Batches batches_;
  Index batch_ = 0, epoch_ = 0;
};

std::string about(const bench::ContenderOptions& options) {
  const std::string engine = options.variant.empty() ? "" : ", engine " + std::string(options.variant);
  return detail::concat(R"({"name": ")" EIGAN_BENCH_NAME, engine, R"(", "version": ")", EIGAN_VERSION_MAJOR, '.',
                        EIGAN_VERSION_MINOR, '.', EIGAN_VERSION_PATCH, R"(", "isa": ")", to_string(active_isa()),
                        R"("})");
}

template <class G, class D>
int serve_gan(const bench::ContenderOptions& options, G generator_net, D discriminator_net) {
  const Index batch = options.workload.batch;
  const Threads threads{options.threads};
  const LabelledImages images = synthetic_images();
  Stream stream(images, batch);
  Model<G> generator(generator_net, Rng(3));
  Model<D> discriminator(discriminator_net, Rng(4));
  Adam<> generator_adam(generator.zeros().size(), {.lr = 0.002});
  Adam<> discriminator_adam(discriminator.zeros().size(), {.lr = 0.002});
  GanWorkspace workspace(generator, discriminator, batch);
  BufferMatrix<float> z(options.workload.generator.front(), batch);
  const NonSaturatingLoss loss{.real_label = 0.9};
  std::uint64_t step = 0;

  return bench::serve(about(options), [&] {
    const Rng rng = Rng(5).fold_in(step++);
    convert(images, stream.next(), workspace.real(batch), threads);
    fill_uniform(z.view(), -1, 1, rng.fold_in(0));
    discriminator_step(generator, discriminator, discriminator_adam, workspace, workspace.real(batch), z.view(),
                       rng.fold_in(1), loss, threads);
    fill_uniform(z.view(), -1, 1, rng.fold_in(2));
    generator_step(generator, discriminator, generator_adam, workspace, z.view(), rng.fold_in(3), loss, threads);
  });
}

/// loss(logits, image numbers, gradient). Networks of images are given those of a shuffled batch, others random
/// numbers.
template <class Net, class Loss>
int serve_classifier(const bench::ContenderOptions& options, Net net, Loss loss) {
  const Index batch = options.workload.batch, inputs = options.workload.network.front();
  const Threads threads{options.threads};
  const LabelledImages images = synthetic_images();
  Stream stream(images, batch);
  Model<Net> model(net, Rng(3));
  auto gradient = model.zeros();
  Adam<> adam(gradient.size(), {.lr = 0.001});
  auto tape = model.tape(batch);
  BufferMatrix<float> x(inputs, batch);
  fill_uniform(x.view(), -1, 1, Rng(6));
  std::vector<int> labels(static_cast<std::size_t>(batch));

  return bench::serve(about(options), [&] {
    if (inputs == images.features()) {
      const auto indices = stream.next();
      convert(images, indices, x.view(), threads);
      gather_labels(images, indices, labels);
    }
    const ConstView<float> logits = model.forward(tape, x.view(), threads);
    loss(logits, std::span<const int>(labels), tape.output_gradient());
    backward_and_step(model, tape, adam, gradient, threads);
  });
}

/// Real for the first half of the batch, generated for the other.
struct HalfAndHalf {
  explicit HalfAndHalf(Index batch) : targets(Matrix<float>::Zero(1, batch)) { targets.leftCols(batch / 2).setOnes(); }
  void operator()(ConstView<float> logits, std::span<const int>, View<float> gradient) const {
    bce_with_logits<float>(logits, targets, gradient);
  }
  Matrix<float> targets;
};

}  // namespace

int main(int argc, char** argv) {
  return bench::contender_main(argc, argv, [](const bench::ContenderOptions& options) {
    if (!options.variant.empty()) setenv("EIGAN_ENGINE", std::string(options.variant).c_str(), 1);
    const LeakyReLU leaky(0.2);
    if (options.workload.name == "gan-seed")
      return serve_gan(options, make_generator<100, 32, 64, 128, 784>(), make_discriminator<784, 128, 64, 32, 1>());
    if (options.workload.name == "gan-wide")
      return serve_gan(options, make_generator<100, 256, 512, 1024, 784>(),
                       make_discriminator<784, 1024, 512, 256, 1>());
    if (options.workload.name == "discriminator")
      return serve_classifier(
          options,
          Sequential(Linear<784, 128>(), leaky, Linear<128, 64>(), leaky, Linear<64, 32>(), leaky, Linear<32, 1>()),
          HalfAndHalf(options.workload.batch));
    if (options.workload.name == "discriminator-wide")
      return serve_classifier(options,
                              Sequential(Linear<784, 1024>(), leaky, Linear<1024, 512>(), leaky, Linear<512, 256>(),
                                         leaky, Linear<256, 1>()),
                              HalfAndHalf(options.workload.batch));
    const auto squared =
        [targets =
             Matrix<float>(Matrix<float>::Constant(options.workload.network.back(), options.workload.batch, 0.5f))](
            ConstView<float> y, std::span<const int>, View<float> gradient) { mse<float>(y, targets, gradient); };
    if (options.workload.name == "small")
      return serve_classifier(options, Sequential(Linear<4, 64>(), ReLU(), Linear<64, 64>(), ReLU(), Linear<64, 2>()),
                              squared);
    if (options.workload.name == "tiny")
      return serve_classifier(options, Sequential(Linear<2, 8>(), Tanh(), Linear<8, 1>()), squared);
    return serve_classifier(options,
                            Sequential(Linear<784, 256>(), ReLU(), Linear<256, 128>(), ReLU(), Linear<128, 10>()),
                            [](ConstView<float> logits, std::span<const int> labels, View<float> gradient) {
                              cross_entropy<float>(logits, labels, gradient);
                            });
  });
}
