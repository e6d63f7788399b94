// The code that docs/guide.md shows of images, branches, state and penalties; each test is a section of that page.
#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <vector>

#include <eigan/eigan.hpp>

using namespace eigan;

TEST_CASE("guide: images") {
  // [images]
  using Net = Sequential<Input<3, 32, 24>,            // channels, height, width of a sample
                         Conv2d<3, 16, 4, 2, 1>,      // 16 x 16 x 12: in, out, kernel, stride, padding
                         BatchNorm2d<16>, LeakyReLU,  //
                         Conv2d<16, 32, 4, 2, 1>,     // 32 x 8 x 6
                         Flatten, Linear<32 * 8 * 6, 10>>;
  Model<Net> model(Rng(1));

  Matrix<float> planar(3 * 32 * 24, 5);  // five images as PyTorch has them: all of the red, then the green, the blue
  planar.setRandom();
  Matrix<float> x(planar.rows(), planar.cols());
  from_planar<float>(planar, x, Shape{3, 32, 24});  // pixel by pixel, as eigan and PNG files have them
  auto tape = model.tape(5);
  const ConstView<float> logits = model.forward(tape, x);
  // [/images]
  CHECK(logits.rows() == 10);
  CHECK(x(1, 0) == planar(32 * 24, 0));

  // [at]
  const Model fully_convolutional(Sequential(Conv2d<>(1, 8, 3, 1, 1), ReLU(), Conv2d<>(8, 1, 3, 1, 1)),
                                  Shape{1, 28, 28}, Rng(1));
  const auto larger = fully_convolutional.at(Shape{1, 50, 70});  // the same weights
  // [/at]
  CHECK(larger.output_shape() == Shape{1, 50, 70});
}

TEST_CASE("guide: branches") {
  // [branches]
  using Block = Residual<Conv2d<8, 8, 3, 1, 1>, ReLU, Conv2d<8, 8, 3, 1, 1>>;  // x + f(x)
  using UNet = Sequential<Input<1, 16, 16>, Conv2d<1, 8, 3, 1, 1>,
                          SkipConnection<MaxPool2d<2>, Block, Upsample<2>>,  // x beside f(x): 8 + 8 channels
                          Conv2d<16, 1, 1, 1, 0>>;
  using TwoHeads = Sequential<Linear<20, 32>, ReLU, Parallel<Linear<32, 1>, Sequential<Linear<32, 10>, Tanh>>>;
  // [/branches]
  CHECK(Model<UNet>(Rng(1)).output_shape() == Shape{1, 16, 16});
  CHECK(Model<TwoHeads>(Rng(1)).output_size() == 11);

  // [inputs]
  using Conditional = Sequential<Inputs<Input<1, 28, 28>, Input<10>>,  // an image, and a class at each of its pixels
                                 Conv2d<11, 16, 4, 2, 1>, LeakyReLU, Flatten, Linear<16 * 14 * 14, 1>>;
  const Model<Conditional> d(Rng(1));
  const Matrix<float> images = Matrix<float>::Random(28 * 28, 3), classes = Matrix<float>::Identity(10, 3);
  auto tape = d.tape(3);
  const ConstView<float> logits = d.forward(tape, {images, classes});

  using Features = Sequential<Input<1, 28, 28>, Conv2d<1, 16, 4, 2, 1>, LeakyReLU, Flatten>;
  using Later = Sequential<Inputs<Features, Input<10>>, Linear<16 * 14 * 14 + 10, 1>>;  // the class beside features
  // [/inputs]
  CHECK(logits.cols() == 3);
  CHECK(Model<Later>(Rng(1)).infer({images, classes}).cols() == 3);
}

TEST_CASE("guide: a list of steps") {
  // [steps]
  const auto steps = std::make_shared<Steps<float>>(std::vector{Shape{20}});
  const auto wide = steps->add(Linear<20, 32>(), 0, "wide");
  const auto bent = steps->add(Tanh(), wide, "bent");
  const auto both = steps->concatenate({wide, bent, 0}, "both");
  steps->add(Linear<84, 1>(), both, "out");
  BasicModel<float> dense(steps, "a line of its own", Rng(1));  // which is compared where files are loaded
  // [/steps]
  CHECK(dense.param_size() == 20 * 32 + 32 + 84 + 1);
  const Matrix<float> x = Matrix<float>::Random(20, 3);
  CHECK(dense.infer(x).cols() == 3);
}

TEST_CASE("guide: state") {
  const Matrix<float> x = Matrix<float>::Random(4, 64);
  // [state]
  Model<Sequential<Linear<4, 8>, BatchNorm1d<8>, ReLU, Linear<8, 1>>> model(Rng(1));
  auto tape = model.tape(64);
  model.forward(tape, x);
  update_statistics(model, tape, 0.1);  // running averages, after each training pass, as PyTorch keeps them

  estimate_statistics(model, x);  // or, once after training, from as many samples as one likes
  const Matrix<float> y = model.infer(x);
  // [/state]
  CHECK(y.allFinite());
}

TEST_CASE("guide: spectral normalisation") {
  const Matrix<float> x = Matrix<float>::Random(4, 64);
  const Matrix<float> target = (x.row(0).array() > 0).cast<float>();
  // [spectral]
  Model<Sequential<SpectralNorm<Linear<4, 32>>, LeakyReLU, SpectralNorm<Linear<32, 1>>>> critic(Rng(1));
  auto tape = critic.tape(64);
  auto gradient = critic.zeros();
  Adam adam(gradient.size());
  for (int step = 0; step < 100; ++step) {
    const auto logits = critic.forward(tape, x);
    bce_with_logits<float>(logits, target, tape.output_gradient());
    backward_and_step(critic, tape, adam, gradient);
    update_statistics(critic, tape);  // one step of the power method for each of training
  }
  // [/spectral]
  CHECK(critic.infer(x).allFinite());
}

TEST_CASE("guide: penalties") {
  const Matrix<float> real = Matrix<float>::Random(6, 16), fake = Matrix<float>::Random(6, 16);
  // [penalty]
  Model<Sequential<Linear<6, 32>, SiLU, Linear<32, 1>>> critic(Rng(1));
  GradientPenalty penalty(critic, 16);
  auto gradient = critic.zeros();
  const float r1 = penalty.add_r1(critic, real, 10.f, gradient, Rng(2));
  const float gp = penalty.add_wgan_gp(critic, real, fake, 10.f, gradient, Rng(3));
  // [/penalty]
  // [clip]
  clip_weights(critic.params(), 0.01);  // behind each step of the critic
  // [/clip]
  Model<Sequential<Linear<3, 8>, ReLU, Linear<8, 6>>> g(Rng(4));
  Adam g_adam(g.param_size()), critic_adam(critic.param_size());
  GanWorkspace workspace(g, critic, 16);
  const Matrix<float> z = Matrix<float>::Random(3, 16);
  const NonSaturatingLoss loss;
  // [clip_steps]
  discriminator_step(g, critic, critic_adam, workspace, real, z, Rng(5), loss, {}, Halves::together, {}, {.norm = 1});
  generator_step(g, critic, g_adam, workspace, Rng(6), loss, {}, {}, {.norm = 1});
  // [/clip_steps]
  CHECK(g.infer(z).allFinite());
  CHECK(std::isfinite(r1 + gp));
  CHECK(r1 > 0);
}
