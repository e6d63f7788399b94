// The code that docs/guide.md shows; each test is a section of that page.
#include <doctest/doctest.h>

#include <array>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <eigan/data/batches.hpp>
#include <eigan/eigan.hpp>
#include <eigan/io/checkpoint.hpp>
#include <eigan/io/model_file.hpp>
#include <eigan/io/network_file.hpp>
#include <eigan/io/onnx.hpp>
#include <eigan/net/runtime/network.hpp>
#include <eigan/testing/check_gradients.hpp>

#if __has_include(<sys/wait.h>)
#include <sys/wait.h>
#include <unistd.h>
#endif

using namespace eigan;

TEST_CASE("guide: matrices") {
  // [views]
  Matrix<float> batch(3, 4);  // four samples of three features
  batch.setZero();

  View<float> all = batch;                   // the same memory
  View<float> middle = all.columns(1, 2);    // samples 1 and 2, still the same memory
  middle.setOnes();                          // any Eigen expression works on a view
  middle.col(0) << 1, 2, 3;                  // one sample
  const ConstView<float> read_only = batch;  // what a function that only reads asks for
  const float largest = read_only.rowwise().sum().maxCoeff();
  // [/views]
  CHECK(batch.col(0).isZero());
  CHECK(batch(2, 1) == 3);
  CHECK(largest == 4);
}

TEST_CASE("guide: networks") {
  // [networks]
  using Classifier = Sequential<Linear<784, 128>, ReLU, Linear<128, 10>>;
  const Model<Classifier> model(Rng(1));

  // The same with sizes that are known only when the program runs.
  const Index hidden = 128;
  const Sequential net(Linear<>(784, hidden), LeakyReLU(0.2), Dropout(0.3), Linear<>(hidden, 10));
  const Model same_sizes(net, Rng(1));
  // [/networks]
  CHECK(model.param_size() == same_sizes.param_size());
  CHECK_THROWS_AS(Model(Sequential(Linear<>(3, 4), Linear<>(5, 6)), Rng(1)), std::invalid_argument);
}

TEST_CASE("guide: networks at run time") {
  // [network]
  Network net;
  net.add(Linear(784, 128)).add(LeakyReLU(0.2));
  for (int i = 0; i < 3; ++i) net.add(Linear(128, 128)).add("Tanh()");
  net.add("Dropout(p=0.3), Linear(in_features=128, out_features=10)");
  const Model model(net, Rng(1));  // a Model<Network>, for everything that models can do
  // [/network]
  CHECK(net.depth() == 10);
  CHECK(model.infer(Matrix<float>::Ones(784, 2).eval()).rows() == 10);
}

namespace {
// [swish]
/// y = x sigmoid(beta x).
struct Swish {
  static constexpr bool elementwise = true;
  double beta = 1;

  Spec spec() const { return {"Swish", {{"beta", beta}}}; }
  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    y = (x.array() / (1 + (-static_cast<T>(beta) * x.array()).exp())).matrix();
  }
  template <class T>
  void backward_input(std::span<const T>, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx) const {
    const T b = static_cast<T>(beta);
    dx = (dy.array() * (b * y.array() + (1 - b * y.array()) / (1 + (-b * x.array()).exp()))).matrix();
  }
};
// [/swish]
}  // namespace

TEST_CASE("guide: a network from a file") {
  const std::string path = (std::filesystem::temp_directory_path() / "eigan_guide_network.safetensors").string();
  const Model saved(Sequential(Linear(4, 3), Swish{0.75}, Linear(3, 2)), Rng(1));
  save(path, saved);
  // [from_file]
  LayerRegistry layers;  // knows the library's layers
  layers.add("Swish", [](const LayerText& text) { return Swish{text.number("beta")}; });
  Model model(load_network(path, layers), Rng(1));
  load(path, model);
  // [/from_file]
  CHECK(testing::check_gradients(Swish{0.75}).ok());
  CHECK(std::ranges::equal(model.params(), saved.params()));
  CHECK(model.architecture() == saved.architecture());
  std::filesystem::remove(path);
}

TEST_CASE("guide: parameters") {
  // [parameters]
  Model<Sequential<Linear<8, 4>, Tanh, Linear<4, 1>>> model(Rng(1));

  const std::span<float> all = model.params();                                  // every parameter
  const View<float> weight = model.net().layer<0>().weight(model.params<0>());  // one tensor: 4 x 8
  init::he_normal(weight, Rng(2), init::leaky_relu_gain(0.2));                  // started in another way

  // An average of the parameters over the steps of training is a loop.
  auto average = model.zeros();
  for (Index i = 0; i < average.size(); ++i) average[i] = 0.99f * average[i] + 0.01f * all[static_cast<std::size_t>(i)];
  // [/parameters]
  CHECK(average[0] == 0.01f * weight(0, 0));
}

TEST_CASE("guide: inference") {
  const Model<Sequential<Linear<8, 4>, Tanh, Linear<4, 1>>> model(Rng(1));
  Matrix<float> x(8, 100);
  fill_uniform<float>(x, -1, 1, Rng(2));
  // [inference]
  const Matrix<float> y = model.infer(x);

  // A server's threads share the model. Each has its own scratch, and nothing is allocated on the way.
  Matrix<float> answers(1, 100);
  const auto serve = [&](Index first, Index count) {
    auto scratch = model.scratch();
    model.infer(ConstView<float>(x).columns(first, count), View<float>(answers).columns(first, count), scratch);
  };
  std::thread one(serve, 0, 50), two(serve, 50, 50);
  one.join();
  two.join();
  // [/inference]
  CHECK(y == answers);
}

TEST_CASE("guide: training") {
  Matrix<float> images(4, 70);
  fill_uniform<float>(images, -1, 1, Rng(5));
  std::vector<int> labels(70);
  for (Index i = 0; i < 70; ++i) images.col(i).maxCoeff(&labels[static_cast<std::size_t>(i)]);
  // [training]
  Model<Sequential<Linear<4, 32>, ReLU, Dropout, Linear<32, 4>>> model(Rng(1));
  constexpr Index batch_size = 16;
  auto tape = model.tape(batch_size);
  auto gradient = model.zeros();
  Adam adam(gradient.size(), {.lr = 0.01});

  Batches batches(images.cols(), batch_size, Rng(2));
  Matrix<float> x(4, batch_size);
  std::vector<int> answers(batch_size);
  std::vector<float> losses;
  std::uint64_t step = 0;
  for (Index epoch = 0; epoch < 20; ++epoch) {
    batches.start_epoch(epoch);
    for (Index b = 0; b < batches.size(); ++b, ++step) {
      const auto indices = batches.indices(b);  // the last batch may be smaller
      const auto count = static_cast<Index>(indices.size());
      for (std::size_t j = 0; j < indices.size(); ++j) {
        x.col(static_cast<Index>(j)) = images.col(indices[j]);
        answers[j] = labels[indices[j]];
      }

      const auto logits = model.forward(tape, ConstView<float>(x).columns(0, count), Rng(3).fold_in(step));
      const auto these = std::span<const int>(answers).first(indices.size());
      losses.push_back(cross_entropy<float>(logits, these, tape.output_gradient()));
      gradient.zero();
      model.backward_params(tape, gradient);
      adam.step(model.params(), gradient);
    }
  }
  // [/training]
  CHECK(losses.back() < losses.front());
  const Matrix<float> y = model.infer(images);
  int right = 0;
  for (Index i = 0; i < 70; ++i) {
    Index best = 0;
    y.col(i).maxCoeff(&best);
    right += best == labels[static_cast<std::size_t>(i)];
  }
  CHECK(right >= 60);
}

TEST_CASE("guide: one sweep") {
  Model<Sequential<Linear<4, 8>, Tanh, Linear<8, 1>>> model(Rng(1)), twin(Rng(1));
  Matrix<float> x(4, 40), target(1, 40);
  fill_uniform<float>(x, -1, 1, Rng(2));
  fill_uniform<float>(target, -1, 1, Rng(3));
  auto tape = model.tape(40);
  auto gradient = model.zeros(), twin_gradient = model.zeros();
  Adam adam(gradient.size()), twin_adam(gradient.size());
  for (int step = 0; step < 3; ++step) {
    // [sweep]
    const auto y = model.forward(tape, x);
    mse<float>(y, target, tape.output_gradient());
    backward_and_step(model, tape, adam, gradient);
    // [/sweep]
    const auto twin_y = twin.forward(tape, x);  // first: the order of arguments is the compiler's
    mse<float>(twin_y, target, tape.output_gradient());
    twin_gradient.zero();
    twin.backward_params(tape, twin_gradient);
    twin_adam.step(twin.params(), twin_gradient);
  }
  CHECK(std::ranges::equal(model.params(), twin.params()));
}

TEST_CASE("guide: a schedule") {
  const Model<Sequential<Linear<4, 1>>> model(Rng(1));
  Adam adam(model.param_size());
  constexpr Index steps = 1000;
  for (Index step = 0; step < steps; ++step) {
    // [schedule]
    adam.options().lr = 0.01 * warmup_cosine(step, steps, 50);
    // [/schedule]
    CHECK(adam.options().lr <= 0.01);
  }
  CHECK(adam.options().lr < 1e-6);
}

TEST_CASE("guide: checkpoints") {
  Matrix<float> x(4, 40), target(1, 40);
  fill_uniform<float>(x, -1, 1, Rng(2));
  fill_uniform<float>(target, -1, 1, Rng(3));
  const auto path = std::filesystem::temp_directory_path() / "eigan_guide_checkpoint.safetensors";
  std::filesystem::remove(path);
  const auto run = [&](std::int64_t steps) {
    // [checkpoint]
    Model<Sequential<Linear<4, 8>, Tanh, Dropout, Linear<8, 1>>> model(Rng(1));
    auto tape = model.tape(x.cols());
    auto gradient = model.zeros();
    Adam adam(gradient.size());
    std::int64_t step = 0;
    std::vector<float> losses;
    const auto state = [&](auto visit) {
      visit("model", model), visit("adam", adam), visit("step", step), visit("losses", losses);
    };

    if (std::filesystem::exists(path)) load_checkpoint(path, state);
    while (step < steps) {
      const auto y = model.forward(tape, x, Rng(7).fold_in(static_cast<std::uint64_t>(step)));
      losses.push_back(mse<float>(y, target, tape.output_gradient()));
      backward_and_step(model, tape, adam, gradient);
      if (++step % 5 == 0) save_checkpoint(path, state);
    }
    // [/checkpoint]
    return losses;
  };
  run(12);  // the last checkpoint is that of step 10
  const auto resumed = run(20);
  std::filesystem::remove(path);
  CHECK(resumed == run(20));
  CHECK(resumed.size() == 20);
  std::filesystem::remove(path);
}

TEST_CASE("guide: an input's gradient") {
  const Model<Sequential<Linear<4, 8>, Tanh, Linear<8, 1>>> model(Rng(1));
  // [input_gradient]
  // Which input makes the output 0.25? Ask for the gradient with respect to the input, and go there.
  Matrix<float> x = Matrix<float>::Zero(4, 1), dx(4, 1);
  auto tape = model.tape(1);
  for (int step = 0; step < 1000; ++step) {
    const auto y = model.forward(tape, x);
    mse<float>(y, Matrix<float>{{0.25f}}, tape.output_gradient());
    model.backward_input(tape, dx);
    x -= dx;
  }
  // [/input_gradient]
  CHECK(model.infer(x)(0, 0) == doctest::Approx(0.25).epsilon(0.01));
}

TEST_CASE("guide: random numbers") {
  // [random]
  const Rng rng(42);                   // the seed of the program
  const Rng weights = rng.fold_in(0);  // a stream for one purpose
  const Rng masks = rng.fold_in(1);    // and for another

  Matrix<float> z(100, 64);
  fill_uniform<float>(z, -1, 1, masks.fold_in(7));    // the numbers of step 7, whoever asks and whenever
  fill_normal<float>(z, 0, 1, masks.fold_in(7), 64);  // samples 64 to 127 of that stream
  const double u = weights.uniform(3, 0);             // number 3 of sample 0
  // [/random]
  CHECK(u == Rng(42).fold_in(0).uniform(3, 0));
  CHECK(u != Rng(42).fold_in(1).uniform(3, 0));
  Matrix<float> all(100, 128);
  fill_normal<float>(all, 0, 1, masks.fold_in(7));
  CHECK(z == all.rightCols(64));
}

TEST_CASE("guide: threads") {
  Matrix<float> x(784, 64);
  fill_uniform<float>(x, -1, 1, Rng(2));
  // [threads]
  const auto train = [&](Threads threads) {
    Model<Sequential<Linear<784, 100>, LeakyReLU, Dropout, Linear<100, 1>>> model(Rng(1));
    auto tape = model.tape(x.cols());
    auto gradient = model.zeros();
    Adam adam(gradient.size());
    for (std::uint64_t step = 0; step < 10; ++step) {
      const auto logits = model.forward(tape, x, Rng(3).fold_in(step), threads);
      bce_with_logits<float>(logits, 1, tape.output_gradient());
      backward_and_step(model, tape, adam, gradient, threads);
    }
    return std::vector<float>(model.params().begin(), model.params().end());
  };
  CHECK(train(Threads{1}) == train(Threads{3}));  // every bit of every parameter
  // [/threads]
}

TEST_CASE("guide: side by side") {
  Matrix<float> x(64, 128);
  fill_uniform<float>(x, -1, 1, Rng(2));
  std::vector<float> losses(2);
  // [side_by_side]
  const auto train = [&](std::uint64_t seed) {
    Model<Sequential<Linear<64, 256>, ReLU, Linear<256, 64>>> model{Rng(seed)};
    auto tape = model.tape(x.cols());
    auto gradient = model.zeros();
    Adam adam(gradient.size());
    for (int step = 0; step < 10; ++step) {
      const auto y = model.forward(tape, x, Threads{1});
      losses[seed] = mse<float>(y, x, tape.output_gradient());
      backward_and_step(model, tape, adam, gradient, Threads{1});
    }
  };
  std::thread one(train, 0), two(train, 1);
  one.join();
  two.join();
  // [/side_by_side]
  const std::vector<float> beside = losses;
  train(0);
  train(1);
  CHECK(losses == beside);
  CHECK(losses[0] != losses[1]);
}

TEST_CASE("guide: engine") {
  const Engine before = active_engine();
  // [engine]
  set_engine(Engine::pool);  // from the next call on
  // [/engine]
  CHECK(active_engine() == Engine::pool);
  set_engine(before);
}

#if __has_include(<sys/wait.h>)
TEST_CASE("guide: fork") {
  const Model<Sequential<Linear<200, 300>, ReLU, Linear<300, 1>>> model(Rng(1));
  Matrix<float> x(200, 100);
  fill_uniform<float>(x, -1, 1, Rng(2));
  // [fork]
  const Matrix<float> y = model.infer(x);  // the model was tried, so there are helpers now
  std::vector<pid_t> workers;
  for (int i = 0; i < 2; ++i) {
    workers.push_back(fork());
    if (workers.back() == 0) {
      const bool same = model.infer(x) == y;  // on one thread, with the same bits
      _exit(same ? 0 : 1);
    }
  }
  // [/fork]
  for (const pid_t worker : workers) {
    int status = -1;
    REQUIRE(waitpid(worker, &status, 0) == worker);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  }
}
#endif

// [gain]
/// y = gain x, one gain a feature.     x, y: N x batch, gain: N.
template <Index N>
struct Gain {
  static constexpr Index input = N, output = N;

  Index param_size() const { return N; }

  template <class T>
  void init(std::span<T> gain, Rng) const {
    std::fill(gain.begin(), gain.end(), T(1));
  }
  template <class T>
  void forward(std::span<const T> gain, ConstView<T> x, View<T> y) const {
    y = column(gain).asDiagonal() * x;
  }
  template <class T>
  void backward_input(std::span<const T> gain, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    dx = column(gain).asDiagonal() * dy;
  }
  template <class T>
  void backward_params(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dgain) const {
    View<T>(dgain.data(), N, 1) += x.cwiseProduct(dy).rowwise().sum();
  }

 private:
  template <class T>
  static auto column(std::span<const T> gain) {
    return Eigen::Map<const Eigen::VectorX<T>>(gain.data(), N);
  }
};
static_assert(ParametricLayer<Gain<16>>);
// [/gain]

// [noise]
/// y = x + n in training, n uniform in [-width, width); y = x at inference.
struct Noise {
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false;
  static constexpr bool backward_reads_y = false;
  double width = 0.1;

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    y = x;
  }
  template <class T>
  void backward_input(std::span<const T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    dx = dy;
  }
  template <class T>
  void forward_train(std::span<const T>, ConstView<T> x, View<T> y, Draw draw) const {
    for (Index j = 0; j < x.cols(); ++j)
      for (Index i = 0; i < x.rows(); ++i) {
        const double u = draw.rng.uniform(i, draw.first_sample + j);
        y(i, j) = x(i, j) + static_cast<T>(width * (2 * u - 1));
      }
  }
  template <class T>
  void backward_input_train(std::span<const T> p, ConstView<T> x, ConstView<T> y, ConstView<T> dy, View<T> dx,
                            Draw) const {
    backward_input(p, x, y, dy, dx);
  }
};
static_assert(StochasticLayer<Noise>);
// [/noise]

TEST_CASE("guide: layers") {
  // [check]
  const testing::Report report = testing::check_gradients(Gain<7>{});
  INFO(report.text());
  CHECK(report.ok());
  // [/check]
  CHECK(testing::check_gradients(Noise{}).ok());
  const Model<Sequential<Linear<8, 16>, Gain<16>, Tanh, Noise>> model(Rng(1));
  auto tape = model.tape(3);
  const Matrix<float> x = Matrix<float>::Ones(8, 3);
  const Matrix<float> noisy = model.forward(tape, x, Rng(2));
  CHECK(noisy != model.infer(x));
  CHECK(noisy.isApprox(model.infer(x), 0.5f));
}

TEST_CASE("guide: adversarial training") {
  Matrix<float> images(16, 97);
  fill_uniform<float>(images, 0, 1, Rng(9));
  // [gan]
  const Rng rng(1);
  Model g(make_generator<8, 32, 16>(), rng.fold_in(0));  // leaky ReLU 0.2 and dropout 0.3, then tanh
  Model d(make_discriminator<16, 32, 1>({.dropout = 0.5}), rng.fold_in(1));  // ends in a logit
  Adam g_adam(g.param_size(), {.lr = 0.002}), d_adam(d.param_size(), {.lr = 0.002});

  constexpr Index batch = 10;
  GanWorkspace workspace(g, d, batch);
  Matrix<float> z_memory(8, batch);
  Batches batches(images.cols(), batch, rng.fold_in(2));
  std::uint64_t step = 0;
  for (Index epoch = 0; epoch < 3; ++epoch) {
    batches.start_epoch(epoch);
    for (Index b = 0; b < batches.size(); ++b, ++step) {
      const Rng now = rng.fold_in(3).fold_in(step);
      const auto indices = batches.indices(b);  // the last batch may be smaller
      const Index count = std::ssize(indices);
      View<float> real = workspace.real(count);  // written where the discriminator reads it
      for (Index j = 0; j < count; ++j) real.col(j) = images.col(indices[static_cast<std::size_t>(j)]);

      const View<float> z = View<float>(z_memory).columns(0, count);
      fill_uniform<float>(z, -1, 1, now.fold_in(0));
      const auto about_d =
          discriminator_step(g, d, d_adam, workspace, real, z, now.fold_in(1), NonSaturatingLoss{.real_label = 0.9});
      fill_uniform<float>(z, -1, 1, now.fold_in(2));
      const auto about_g = generator_step(g, d, g_adam, workspace, z, now.fold_in(3));
      if (!std::isfinite(about_d.loss + about_g.loss)) throw std::runtime_error("the losses are not finite any more");
    }
  }
  // [/gan]
  CHECK(g_adam.steps() == 30);
}

TEST_CASE("guide: better samples") {
  Matrix<float> images(16, 64);
  fill_uniform<float>(images, 0, 1, Rng(9));
  constexpr Index batch = 32;
  // [better]
  const Rng rng(1);
  Model g(make_normalized_generator<8, 32, 16>({.negative_slope = 0}), rng.fold_in(0));
  Model d(make_discriminator<16, 32, 1>({.dropout = 0}), rng.fold_in(1));
  const AdamOptions options{.lr = 0.001, .beta1 = 0, .beta2 = 0.99};
  Adam g_adam(g.param_size(), options), d_adam(d.param_size(), options);
  GanWorkspace workspace(g, d, batch);
  GradientPenalty penalty(d, batch);
  Ema<float> average(g.params(), 0.998);
  Matrix<float> z(8, batch);

  for (std::uint64_t step = 0; step < 100; ++step) {
    const Rng now = rng.fold_in(2).fold_in(step);
    const ConstView<float> real = ConstView<float>(images).columns(step % 2 * batch, batch);
    if (step % 4 == 0) penalty.add_r1(d, real, 4.f, workspace.d_grad, now.fold_in(0));  // gamma 1, every 4 steps
    fill_normal<float>(z, 0, 1, now.fold_in(1));
    discriminator_step(g, d, d_adam, workspace, real, z, now.fold_in(2));
    generator_step(g, d, g_adam, workspace, now.fold_in(3));
    average.update(g.params());
  }

  std::ranges::copy(average.params(), g.params().begin());  // draw with the average,
  Matrix<float> many(8, 1000);
  fill_normal<float>(many, 0, 1, rng.fold_in(3));
  estimate_statistics(g, many);  // whose batch normalisation needs statistics of its own
  const Matrix<float> samples = g.infer(many);
  // [/better]
  CHECK(samples.allFinite());
  CHECK(samples.rowwise().mean().norm() > 0.5f);  // images are in [0, 1], and it has noticed
}

TEST_CASE("guide: exporting") {
  const std::filesystem::path path = std::filesystem::temp_directory_path() / "eigan_guide.onnx";
  // [onnx]
  const Model<Sequential<Linear<8, 4>, ReLU, Linear<4, 1>>> model(Rng(1));
  save_onnx(path, model);
  // [/onnx]
  CHECK(std::filesystem::file_size(path) > 4 * static_cast<std::uintmax_t>(model.param_size()));
  std::filesystem::remove(path);
}

TEST_CASE("guide: exporting a layer of one's own") {
  const std::filesystem::path path = std::filesystem::temp_directory_path() / "eigan_guide_own.onnx";
  const Model model(Sequential(Linear(4, 3), Swish{0.75}), Rng(1));
  // [onnx_operators]
  OnnxOptions options;
  options.operators.add("Swish", [](OnnxLayer& swish) {
    const OnnxValue scaled = swish.node("Mul", {swish.input(), swish.number("beta", swish.spec()["beta"])});
    return swish.node("Mul", {swish.input(), swish.node("Sigmoid", {scaled})});
  });
  save_onnx(path, model, options);
  // [/onnx_operators]
  CHECK(std::filesystem::file_size(path) > 0);
  std::filesystem::remove(path);
}

TEST_CASE("guide: a part of a file") {
  const std::string path = (std::filesystem::temp_directory_path() / "eigan_guide_part.safetensors").string();
  const Model saved(Sequential(Sequential(Linear(4, 3), Tanh()), Linear(3, 2)), Rng(1));
  save(path, saved);
  // [part]
  Model<Sequential<Linear<4, 3>, Tanh>> encoder(Rng(2));
  load(path, encoder, strip_prefix("0."));  // the file's "0.0.weight" is the encoder's "0.weight"
  // [/part]
  CHECK(std::ranges::equal(encoder.params(), saved.params().first(15)));
  std::filesystem::remove(path);
}

// [hinge]
/// The hinge loss: real logits are pushed above 1, fake ones below -1.
struct HingeLoss {
  template <class T>
  T real(ConstView<T> z, View<T> dz) const {
    return hinge<T>(z, 1, dz);
  }
  template <class T>
  T fake(ConstView<T> z, View<T> dz) const {
    return hinge<T>(z, -1, dz);
  }
  template <class T>
  T generator(ConstView<T> z, View<T> dz) const {
    dz.setConstant(T(-1) / static_cast<T>(z.size()));
    return -z.mean();
  }

 private:
  template <class T>
  static T hinge(ConstView<T> z, T sign, View<T> dz) {
    const auto below = (1 - sign * z.array()).max(T(0));
    dz.array() = (below > 0).select(-sign / static_cast<T>(z.size()), Matrix<T>::Zero(z.rows(), z.cols()).array());
    return below.mean();
  }
};
// [/hinge]

TEST_CASE("guide: a loss of your own") {
  const HingeLoss loss;
  CHECK(testing::check_loss([&](ConstView<double> z, View<double> dz) { return loss.real<double>(z, dz); }, 1, 9).ok());
  CHECK(testing::check_loss([&](ConstView<double> z, View<double> dz) { return loss.fake<double>(z, dz); }, 1, 9).ok());
  CHECK(testing::check_loss([&](ConstView<double> z, View<double> dz) { return loss.generator<double>(z, dz); }, 1, 9)
            .ok());
}
