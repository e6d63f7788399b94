#include <doctest/doctest.h>
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <eigan/gan/networks.hpp>
#include <eigan/gan/steps.hpp>
#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/conv2d.hpp>
#include <eigan/layers/unflatten.hpp>
#include <eigan/net/estimate_statistics.hpp>
#include <eigan/net/model.hpp>
#include <eigan/optim/adam.hpp>
#include <eigan/optim/clip_grad.hpp>
#include <eigan/optim/sgd.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "allocations.hpp"
#include "engines.hpp"
#include "support.hpp"

using namespace eigan;

namespace {

using G = Generator<10, 20, 33>;
using D = Discriminator<33, 20, 8, 1>;
constexpr NonSaturatingLoss smoothed{.real_label = 0.9};

/// Two networks, their optimisers and the memory of training.
template <class GNet = G, class DNet = D>
struct Game {
  Model<GNet> generator{Rng(1)};
  Model<DNet> discriminator{Rng(2)};
  Adam<float> g_adam{generator.param_size(), {.lr = 0.002}};
  Adam<float> d_adam{discriminator.param_size(), {.lr = 0.002}};
  GanWorkspace<float> ws;

  explicit Game(Index capacity) : ws(generator, discriminator, capacity) {}

  DiscriminatorResult<float> d_step(const Matrix<float>& real, const Matrix<float>& z, Rng rng, Threads threads = {1}) {
    return discriminator_step(generator, discriminator, d_adam, ws, real, z, rng, smoothed, threads);
  }
  GeneratorResult<float> g_step(const Matrix<float>& z, Rng rng, Threads threads = {1}) {
    return generator_step(generator, discriminator, g_adam, ws, z, rng, smoothed, threads);
  }
};

Matrix<float> images(Index features, Index batch, std::uint64_t seed) {
  return support::random_matrix<float>(features, batch, seed, -1, 1);
}
double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}
double softplus(double x) {
  return std::log1p(std::exp(x));
}

}  // namespace

TEST_CASE("discriminator_step: is what the model's own functions give, to the last bit") {
  Game game(16);
  Model<D> by_hand(Rng(2));
  Adam<float> adam(by_hand.param_size(), {.lr = 0.002});
  for (std::uint64_t step = 0; step < 3; ++step) {
    const Index batch = step == 1 ? 7 : 16;
    const Rng rng = Rng(9).fold_in(step);
    const Matrix<float> real = images(33, batch, 10 + step), z = images(10, batch, 20 + step);
    const auto result = game.d_step(real, z, rng);

    auto g_tape = game.generator.tape(batch);
    Matrix<float> both(33, 2 * batch), gradient(1, 2 * batch);
    both << real, Matrix<float>(game.generator.forward(g_tape, z, rng.fold_in(0)));
    auto tape = by_hand.tape(2 * batch);
    const Matrix<float> logits = by_hand.forward(tape, both, rng.fold_in(1));
    double loss = 0, d_real = 0, d_fake = 0;
    const auto n = static_cast<double>(batch);
    for (Index j = 0; j < batch; ++j) {
      const auto on_real = static_cast<double>(logits(j)), on_fake = static_cast<double>(logits(batch + j));
      loss += (0.9 * softplus(-on_real) + 0.1 * softplus(on_real) + softplus(on_fake)) / n;
      d_real += sigmoid(on_real) / n;
      d_fake += sigmoid(on_fake) / n;
    }
    CHECK(static_cast<double>(result.loss) == doctest::Approx(loss).epsilon(1e-5));
    CHECK(static_cast<double>(result.d_real) == doctest::Approx(d_real).epsilon(1e-5));
    CHECK(static_cast<double>(result.d_fake) == doctest::Approx(d_fake).epsilon(1e-5));

    View<float> right = tape.output_gradient();
    bce_with_logits<float>(logits.leftCols(batch).eval(), 0.9f, right.columns(0, batch));
    bce_with_logits<float>(logits.rightCols(batch).eval(), 0.f, right.columns(batch, batch));
    Buffer<float> grad = by_hand.zeros();
    by_hand.backward_params(tape, grad);
    adam.step(by_hand.params(), grad);
    REQUIRE(support::same_bits<float>(game.discriminator.params(), by_hand.params()));
  }
  CHECK(game.d_adam.steps() == 3);
  CHECK(game.g_adam.steps() == 0);
}

TEST_CASE(
    "steps: a conditional discriminator is told the halves' conditions, and the generator gets the image's gradient") {
  using Conditional = Sequential<Inputs<Input<33>, Input<2>>, Linear<35, 20>, LeakyReLU, Dropout, Linear<20, 1>>;
  for (const Halves halves : {Halves::together, Halves::apart}) {
    Game<G, Conditional> game(16);
    Model<G> g_by_hand(Rng(1));
    Model<Conditional> d_by_hand(Rng(2));
    Adam<float> g_adam(g_by_hand.param_size(), {.lr = 0.002}), d_adam(d_by_hand.param_size(), {.lr = 0.002});
    const Index batch = 9;
    const Matrix<float> real = images(33, batch, 10), z = images(10, batch, 20);
    const Matrix<float> of_real = images(2, batch, 30), of_fake = images(2, batch, 31);
    const Rng rng(9);

    game.ws.real_condition(batch) = of_real;
    game.ws.fake_condition(batch) = of_fake;
    const auto d_result = discriminator_step(game.generator, game.discriminator, game.d_adam, game.ws, real, z, rng,
                                             smoothed, Threads{1}, halves);
    auto g_tape = g_by_hand.tape(batch);
    Matrix<float> image(33, 2 * batch), label(2, 2 * batch);
    image << real, Matrix<float>(g_by_hand.forward(g_tape, z, rng.fold_in(0)));
    label << of_real, of_fake;
    auto d_tape = d_by_hand.tape(2 * batch);
    const Matrix<float> logits = d_by_hand.forward(d_tape, {image, label}, rng.fold_in(1));
    View<float> gradient = d_tape.output_gradient();
    const float loss = bce_with_logits<float>(logits.leftCols(batch).eval(), 0.9f, gradient.columns(0, batch)) +
                       bce_with_logits<float>(logits.rightCols(batch).eval(), 0.f, gradient.columns(batch, batch));
    CHECK(static_cast<double>(d_result.loss) == doctest::Approx(static_cast<double>(loss)));
    Buffer<float> d_grad = d_by_hand.zeros();
    d_by_hand.backward_params(d_tape, d_grad);
    d_adam.step(d_by_hand.params(), d_grad);
    if (halves == Halves::together)
      REQUIRE(support::same_bits<float>(game.discriminator.params(), d_by_hand.params()));
    else  // the gradient is added in another order
      for (std::size_t i = 0; i < d_by_hand.params().size(); ++i)
        REQUIRE(game.discriminator.params()[i] ==
                doctest::Approx(static_cast<double>(d_by_hand.params()[i])).epsilon(1e-4));

    const Matrix<float> another = images(2, batch, 32);
    game.ws.fake_condition(batch) = another;
    std::copy(d_by_hand.params().begin(), d_by_hand.params().end(), game.discriminator.params().begin());
    game.g_step(z, rng);
    const Matrix<float> fake = g_by_hand.forward(g_tape, z, rng.fold_in(0));
    const Matrix<float> opinion = d_by_hand.forward(d_tape, {fake, another}, rng.fold_in(1));
    bce_with_logits<float>(opinion, 1.f, d_tape.output_gradient());
    d_by_hand.backward_input(d_tape, g_tape.output_gradient());
    Buffer<float> g_grad = g_by_hand.zeros();
    g_by_hand.backward_params(g_tape, g_grad);
    g_adam.step(g_by_hand.params(), g_grad);
    CHECK(support::same_bits<float>(game.generator.params(), g_by_hand.params()));
  }
}

TEST_CASE("discriminator_step: halves apart draw the masks of one batch") {
  // In double, so that the order of additions is all that differs.
  const auto train = [](Halves halves) {
    const Model<G, double> generator(Rng(1));
    Model<D, double> discriminator(Rng(2));
    SGD<double> sgd(discriminator.param_size(), {.lr = 0.1});
    GanWorkspace<double> ws(generator, discriminator, 8);
    const auto real = support::random_matrix<double>(33, 8, 1), z = support::random_matrix<double>(10, 8, 2);
    const auto result =
        discriminator_step(generator, discriminator, sgd, ws, real, z, Rng(3), smoothed, Threads{1}, halves);
    std::vector<double> all{result.loss, result.d_real, result.d_fake};
    all.insert(all.end(), discriminator.params().begin(), discriminator.params().end());
    return all;
  };
  const auto together = train(Halves::together), apart = train(Halves::apart);
  for (std::size_t i = 0; i < together.size(); ++i) REQUIRE(apart[i] == doctest::Approx(together[i]).epsilon(1e-10));
}

TEST_CASE("discriminator_step: halves apart, so that batch normalisation does not mix them") {
  using Norm = Sequential<Linear<33, 12>, BatchNorm1d<12>, LeakyReLU, Linear<12, 1>>;
  const Model<G, double> generator(Rng(1));
  Model<Norm, double> discriminator(Rng(2)), by_hand(Rng(2));
  SGD<double> sgd(by_hand.param_size(), {.lr = 0.1}), other(by_hand.param_size(), {.lr = 0.1});
  GanWorkspace<double> ws(generator, discriminator, 9);
  const auto real = support::random_matrix<double>(33, 9, 1), z = support::random_matrix<double>(10, 9, 2);
  discriminator_step(generator, discriminator, sgd, ws, real, z, Rng(3), smoothed, Threads{1}, Halves::apart);

  auto g_tape = generator.tape(9), tape = by_hand.tape(9);
  Buffer<double> grad = by_hand.zeros();
  by_hand.forward(tape, real);
  smoothed.real<double>(tape.output(), tape.output_gradient());
  by_hand.backward_params(tape, grad);
  const Matrix<double> fake = generator.forward(g_tape, z, Rng(3).fold_in(0));
  by_hand.forward(tape, fake);
  smoothed.fake<double>(tape.output(), tape.output_gradient());
  by_hand.backward_params(tape, grad);
  other.step(by_hand.params(), grad);
  CHECK(support::same_bits<double>(discriminator.params(), std::as_const(by_hand).params()));
  for (const double g : ws.d_grad) REQUIRE(g == 0);

  Model<Norm, double> mixed(Rng(2));
  SGD<double> third(by_hand.param_size(), {.lr = 0.1});
  discriminator_step(generator, mixed, third, ws, real, z, Rng(3), smoothed, Threads{1}, Halves::together);
  CHECK_FALSE(support::same_bits<double>(discriminator.params(), std::as_const(mixed).params()));
}

TEST_CASE("discriminator_step: halves apart: what fails leaves no half of a gradient to the next step") {
  Game game(8);
  const Matrix<float> real = images(33, 8, 1), z = images(10, 8, 2);
  const auto step = [&](Adam<float>& adam, const auto& after_forward) {
    discriminator_step(game.generator, game.discriminator, adam, game.ws, real, z, Rng(3), smoothed, Threads{1},
                       Halves::apart, after_forward);
  };
  const auto holds = [&](float value) {
    return std::all_of(game.ws.d_grad.begin(), game.ws.d_grad.end(), [&](float g) { return g == value; });
  };
  // Refused before anything is computed: a penalty's gradient stays.
  std::fill(game.ws.d_grad.begin(), game.ws.d_grad.end(), 0.25f);
  Adam<float> small(3);
  CHECK_THROWS_AS(step(small, [] {}), std::invalid_argument);
  CHECK(holds(0.25f));
  game.d_adam.options().lr = std::numeric_limits<double>::quiet_NaN();
  int passes = 0;
  CHECK_THROWS_WITH_AS(step(game.d_adam, [&] { ++passes; }), "eigan::Adam: lr must be >= 0 and finite, is nan",
                       std::invalid_argument);
  CHECK(holds(0.25f));
  CHECK(passes == 0);
  CHECK(game.ws.take_fresh() == 0);
  // Behind the first half.
  game.d_adam.options().lr = 1e-3;
  CHECK_THROWS_AS(step(game.d_adam,
                       [&] {
                         if (++passes == 2) throw std::runtime_error("behind the first half");
                       }),
                  std::runtime_error);
  CHECK(holds(0));
}

TEST_CASE("discriminator_step: what fails leaves no penalty's gradient to the next step") {
  const Matrix<float> real = images(33, 8, 1), z = images(10, 8, 2);
  for (const Halves halves : {Halves::together, Halves::apart}) {
    Game game(8);
    std::fill(game.ws.d_grad.begin(), game.ws.d_grad.end(), 0.25f);
    CHECK_THROWS_WITH_AS(
        discriminator_step(game.generator, game.discriminator, game.d_adam, game.ws, real, z, Rng(3), smoothed,
                           Threads{1}, halves, [] { throw std::runtime_error("behind the first pass"); }),
        "behind the first pass", std::runtime_error);
    CHECK(std::all_of(game.ws.d_grad.begin(), game.ws.d_grad.end(), [](float g) { return g == 0; }));
  }
}

TEST_CASE("discriminator_step: running averages see each forward pass, both halves where they are apart") {
  using Norm = Sequential<Linear<33, 12>, BatchNorm1d<12>, LeakyReLU, Linear<12, 1>>;
  const Model<G> generator(Rng(1));
  const Matrix<float> real = images(33, 9, 1), z = images(10, 9, 2);
  for (const Halves halves : {Halves::together, Halves::apart}) {
    Model<Norm> discriminator(Rng(2)), by_hand(Rng(2));
    SGD<float> sgd(by_hand.param_size(), {.lr = 0.1});
    GanWorkspace<float> ws(generator, discriminator, 9);
    discriminator_step(generator, discriminator, sgd, ws, real, z, Rng(3), smoothed, Threads{1}, halves,
                       [&] { update_statistics(discriminator, ws.d_tape); });
    auto tape = by_hand.tape(18);
    const auto see = [&](const Matrix<float>& x) {
      by_hand.forward(tape, x);
      update_statistics(by_hand, tape);
    };
    const Matrix<float> fake = ws.fake(9);
    if (halves == Halves::together) {
      Matrix<float> both(33, 18);
      both << real, fake;
      see(both);
    } else {
      see(real);
      see(fake);
    }
    const auto found = std::as_const(discriminator).state(), expected = std::as_const(by_hand).state();
    for (std::size_t i = 0; i < expected.size(); ++i)
      REQUIRE(found[i] == doctest::Approx(static_cast<double>(expected[i])).epsilon(1e-5));
  }
}

TEST_CASE("steps: a discriminator of patches: losses and probabilities are means over all of its outputs") {
  using ImageG = Sequential<Linear<5, 32>, Unflatten<2, 4, 4>, Tanh>;
  using PatchD = Sequential<Input<2, 4, 4>, Conv2d<2, 3, 2, 2>, LeakyReLU, Conv2d<3, 1, 1>>;
  Game<ImageG, PatchD> game(6);
  CHECK(game.discriminator.output_shape() == Shape{1, 2, 2});
  Model<PatchD> by_hand(Rng(2));
  Adam<float> adam(by_hand.param_size(), {.lr = 0.002});
  const Matrix<float> real = images(32, 6, 1), z = images(5, 6, 2);
  const auto result = game.d_step(real, z, Rng(3));
  auto tape = by_hand.tape(12);
  Matrix<float> both(32, 12);
  both << real, Matrix<float>(game.generator.infer(z));
  const Matrix<float> logits = by_hand.forward(tape, both);
  double loss = 0, d_real = 0;
  for (const float logit : logits.leftCols(6).reshaped()) {
    const auto l = static_cast<double>(logit);
    loss += (0.9 * softplus(-l) + 0.1 * softplus(l)) / 24, d_real += sigmoid(l) / 24;
  }
  for (const float logit : logits.rightCols(6).reshaped()) loss += softplus(static_cast<double>(logit)) / 24;
  CHECK(static_cast<double>(result.loss) == doctest::Approx(loss).epsilon(1e-5));
  CHECK(static_cast<double>(result.d_real) == doctest::Approx(d_real).epsilon(1e-5));
  View<float> right = tape.output_gradient();
  smoothed.real<float>(ConstView<float>(logits).columns(0, 6), right.columns(0, 6));
  smoothed.fake<float>(ConstView<float>(logits).columns(6, 6), right.columns(6, 6));
  Buffer<float> grad = by_hand.zeros();
  by_hand.backward_params(tape, grad);
  adam.step(by_hand.params(), grad);
  CHECK(support::same_bits<float>(game.discriminator.params(), by_hand.params()));
  const auto g_result = game.g_step(z, Rng(4));
  CHECK(std::isfinite(g_result.loss));
  CHECK(game.g_adam.steps() == 1);
}

TEST_CASE("steps: a loss of one's own sees all outputs, such as a logit beside codes") {
  // The first output is judged, the others must be the sample's code.
  struct Coded {
    ConstView<double> code;
    double half(ConstView<double> y, View<double> dy, double target) const {
      const double n = static_cast<double>(y.cols());
      View<double> codes = dy;
      codes.row(0) = (y.row(0).array() - target) * (2 / n);
      codes.bottomRows(2) = (y.bottomRows(2) - code) * (2 / n);
      return ((y.row(0).array() - target).square().sum() + (y.bottomRows(2) - code).squaredNorm()) / n;
    }
    double real(ConstView<double> y, View<double> dy) const { return half(y, dy, 1); }
    double fake(ConstView<double> y, View<double> dy) const { return half(y, dy, 0); }
    double generator(ConstView<double> y, View<double> dy) const { return half(y, dy, 1); }
  };
  Model<Sequential<Linear<4, 6>>, double> generator(Rng(1));
  Model<Sequential<Linear<6, 8>, Tanh, Linear<8, 3>>, double> discriminator(Rng(2));
  GanWorkspace<double> ws(generator, discriminator, 5);
  SGD<double> sgd(discriminator.param_size(), {.lr = 0.02}), g_sgd(generator.param_size(), {.lr = 0.02});
  const auto real = support::random_matrix<double>(6, 5, 1), z = support::random_matrix<double>(4, 5, 2),
             code = support::random_matrix<double>(2, 5, 3);
  const Coded loss{code};
  // The gradient of the generator's step, through D, is that of the loss that it returns.
  const auto before = support::copy_of<double>(generator.params());
  const double value = generator_step(generator, discriminator, g_sgd, ws, z, Rng(3), loss).loss;
  auto g_tape = generator.tape(5), d_tape = discriminator.tape(5);
  const auto f = [&](const std::vector<double>& params) {
    std::copy(params.begin(), params.end(), generator.params().begin());
    discriminator.forward(d_tape, generator.forward(g_tape, z));
    return loss.generator(d_tape.output(), d_tape.output_gradient());
  };
  const auto after = support::copy_of<double>(generator.params());
  CHECK(f(before) == doctest::Approx(value));
  for (std::size_t i = 0; i < before.size(); i += 3) {
    std::vector<double> up = before, down = before;
    up[i] += 1e-6, down[i] -= 1e-6;
    CHECK((before[i] - after[i]) / 0.02 == doctest::Approx((f(up) - f(down)) / 2e-6).epsilon(1e-5));
  }
  double last = 1e9;
  for (std::uint64_t step = 0; step < 40; ++step) {
    const double now = discriminator_step(generator, discriminator, sgd, ws, real, z, Rng(step), loss).loss;
    CHECK(now < last);
    last = now;
  }
}

TEST_CASE("generator_step: a further loss of the generated samples adds its value and its gradient") {
  const auto target = support::random_matrix<double>(33, 7, 5), z = support::random_matrix<double>(10, 7, 6);
  Model<G, double> generator(make_generator<10, 20, 33>({.dropout = 0}), Rng(1));
  const Model<D, double> discriminator(make_discriminator<33, 20, 8, 1>({.dropout = 0}), Rng(2));
  GanWorkspace<double> ws(generator, discriminator, 7);
  SGD<double> sgd(generator.param_size(), {.lr = 0.1});
  const auto further = [&](ConstView<double> fake, View<double> gradient) {
    CHECK(fake.cols() == 7);
    gradient += 3 * (fake - target);
    return 1.5 * (fake - target).squaredNorm();
  };
  const auto before = support::copy_of<double>(generator.params());
  const double value = generator_step(generator, discriminator, sgd, ws, z, Rng(3), smoothed, Threads{1}, further).loss;
  const auto after = support::copy_of<double>(generator.params());
  auto g_tape = generator.tape(7), d_tape = discriminator.tape(7);
  const auto f = [&](const std::vector<double>& params) {
    std::copy(params.begin(), params.end(), generator.params().begin());
    const auto fake = generator.forward(g_tape, z, Rng(0));
    discriminator.forward(d_tape, fake, Rng(0));
    return smoothed.generator<double>(d_tape.output(), d_tape.output_gradient()) + 1.5 * (fake - target).squaredNorm();
  };
  CHECK(f(before) == doctest::Approx(value));
  for (std::size_t i = 0; i < before.size(); i += 17) {
    std::vector<double> up = before, down = before;
    up[i] += 1e-6, down[i] -= 1e-6;
    CHECK((before[i] - after[i]) / 0.1 == doctest::Approx((f(up) - f(down)) / 2e-6).epsilon(1e-5));
  }
}

TEST_CASE("discriminator_step: what the workspace's gradient holds joins the step") {
  Game game(8);
  const Matrix<float> real = images(33, 8, 1), z = images(10, 8, 2);
  const auto start = support::copy_of<float>(game.discriminator.params());
  Game plain(8);
  SGD<float> sgd(game.discriminator.param_size(), {.lr = 1}),
      other = SGD<float>(game.discriminator.param_size(), {.lr = 1});
  std::fill(game.ws.d_grad.begin(), game.ws.d_grad.end(), 0.25f);
  discriminator_step(game.generator, game.discriminator, sgd, game.ws, real, z, Rng(3), smoothed, Threads{1});
  discriminator_step(plain.generator, plain.discriminator, other, plain.ws, real, z, Rng(3), smoothed, Threads{1});
  for (std::size_t i = 0; i < start.size(); ++i)
    REQUIRE(game.discriminator.params()[i] ==
            doctest::Approx(static_cast<double>(plain.discriminator.params()[i] - 0.25f)).epsilon(1e-5));
  for (const float g : game.ws.d_grad) REQUIRE(g == 0);
}

TEST_CASE("steps: a z that lives until the generator's step serves both") {
  // Under the address sanitizer, this is what the deleted overload for temporaries guards.
  Game game(8), same(8);
  const Matrix<float> real = images(33, 8, 1);
  {
    const auto z = std::make_unique<Matrix<float>>(images(10, 8, 2));
    game.d_step(real, *z, Rng(3));
    generator_step(game.generator, game.discriminator, game.g_adam, game.ws, Rng(3), smoothed);
  }
  // A view of a part of something larger does, too.
  Matrix<float> pool(10, 20);
  pool.middleCols(5, 8) = images(10, 8, 2);
  const ConstView<float> z = ConstView<float>(pool).columns(5, 8);
  discriminator_step(same.generator, same.discriminator, same.d_adam, same.ws, real, z, Rng(3), smoothed, Threads{1});
  generator_step(same.generator, same.discriminator, same.g_adam, same.ws, Rng(3), smoothed);
  CHECK(support::same_bits<float>(game.generator.params(), same.generator.params()));
}

TEST_CASE("steps: a step that is refused leaves no samples to learn from") {
  Game game(8);
  const Matrix<float> real = images(33, 8, 1), z = images(10, 8, 2);
  const auto learn = [&] { generator_step(game.generator, game.discriminator, game.g_adam, game.ws, Rng(3)); };
  for (const Index batch : {3, 8}) {
    game.d_step(real, z, Rng(3));
    CHECK_THROWS_AS(game.d_step(images(33, batch, 1), images(9, batch, 2), Rng(4)), std::invalid_argument);
    CHECK_THROWS_WITH_AS(learn(),
                         "eigan::generator_step: no samples of the generator as it is; a discriminator_step makes them",
                         std::invalid_argument);
  }
  game.d_step(real, z, Rng(3));
  CHECK_NOTHROW(learn());
}

TEST_CASE("generator_step: a setting that is no number is refused before the samples are used up") {
  Game game(8);
  const Matrix<float> real = images(33, 8, 1), z = images(10, 8, 2);
  const auto learn = [&] { generator_step(game.generator, game.discriminator, game.g_adam, game.ws, Rng(3)); };
  game.d_step(real, z, Rng(3));
  game.g_adam.options().lr = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(learn(), "eigan::Adam: lr must be >= 0 and finite, is nan", std::invalid_argument);
  game.g_adam.options().lr = 1e-3;
  CHECK_NOTHROW(learn());
}

TEST_CASE("generator_step: is what the model's own functions give, to the last bit") {
  Game game(16);
  Model<G> by_hand(Rng(1));
  Adam<float> adam(by_hand.param_size(), {.lr = 0.002});
  for (std::uint64_t step = 0; step < 3; ++step) {
    const Index batch = step == 1 ? 7 : 16;
    const Rng rng = Rng(9).fold_in(step);
    const Matrix<float> z = images(10, batch, 20 + step);
    const auto result = game.g_step(z, rng);

    auto g_tape = by_hand.tape(batch);
    auto d_tape = game.discriminator.tape(batch);
    const Matrix<float> fake = by_hand.forward(g_tape, z, rng.fold_in(0));
    const Matrix<float> logits = game.discriminator.forward(d_tape, fake, rng.fold_in(1));
    double loss = 0, d_fake = 0;
    for (Index j = 0; j < batch; ++j) {
      loss += softplus(-static_cast<double>(logits(j))) / static_cast<double>(batch);
      d_fake += sigmoid(static_cast<double>(logits(j))) / static_cast<double>(batch);
    }
    CHECK(static_cast<double>(result.loss) == doctest::Approx(loss).epsilon(1e-5));
    CHECK(static_cast<double>(result.d_fake) == doctest::Approx(d_fake).epsilon(1e-5));

    bce_with_logits<float>(logits, 1.f, d_tape.output_gradient());
    Matrix<float> dfake(33, batch);
    game.discriminator.backward_input(d_tape, dfake);
    g_tape.output_gradient() = dfake;
    Buffer<float> grad = by_hand.zeros();
    by_hand.backward_params(g_tape, grad);
    adam.step(by_hand.params(), grad);
    REQUIRE(support::same_bits<float>(game.generator.params(), by_hand.params()));
  }
  CHECK(game.g_adam.steps() == 3);
  CHECK(game.d_adam.steps() == 0);
}

TEST_CASE("generator_step: without z it learns from the discriminator's samples, as if it had drawn the same") {
  Game shared(16), own(16);
  for (std::uint64_t step = 0; step < 3; ++step) {
    const Index batch = step == 1 ? 7 : 16;
    const Rng rng = Rng(9).fold_in(step);
    const Matrix<float> real = images(33, batch, 10 + step), z = images(10, batch, 20 + step);
    shared.d_step(real, z, rng);
    own.d_step(real, z, rng);
    const auto a = generator_step(shared.generator, shared.discriminator, shared.g_adam, shared.ws, rng, smoothed);
    const auto b = own.g_step(z, rng);
    CHECK(a.loss == b.loss);
    CHECK(a.d_fake == b.d_fake);
    REQUIRE(support::same_bits<float>(shared.generator.params(), own.generator.params()));
  }
  CHECK(shared.g_adam.steps() == 3);
}

TEST_CASE("discriminator_step: one batch of both is the two losses' gradients together") {
  // Without dropout a sample's gradient does not depend on its neighbours, so real and fake may go separately.
  const Model<Discriminator<33, 20, 1>, double> model(make_discriminator<33, 20, 1>({.dropout = 0}), Rng(2));
  const Matrix<double> real = support::random_matrix<double>(33, 9, 1), fake = support::random_matrix<double>(33, 9, 2);
  Matrix<double> both(33, 18);
  both << real, fake;
  Buffer<double> together = model.zeros(), apart = model.zeros();

  auto tape = model.tape(18);
  const ConstView<double> logits = model.forward(tape, both, Rng(1));
  smoothed.real<double>(logits.columns(0, 9), tape.output_gradient().columns(0, 9));
  smoothed.fake<double>(logits.columns(9, 9), tape.output_gradient().columns(9, 9));
  model.backward_params(tape, together);

  model.forward(tape, real, Rng(1));
  smoothed.real<double>(tape.output(), tape.output_gradient());
  model.backward_params(tape, apart);
  model.forward(tape, fake, Rng(1));
  smoothed.fake<double>(tape.output(), tape.output_gradient());
  model.backward_params(tape, apart);
  for (Index i = 0; i < together.size(); ++i) REQUIRE(together[i] == doctest::Approx(apart[i]).epsilon(1e-12));
}

TEST_CASE("steps: each changes its own network and nothing of the other") {
  Game game(8);
  const Matrix<float> real = images(33, 8, 1), z = images(10, 8, 2);
  const auto g_start = support::copy_of<float>(game.generator.params());
  const auto d_start = support::copy_of<float>(game.discriminator.params());

  game.d_step(real, z, Rng(3));
  CHECK(support::same_bits<float>(game.generator.params(), g_start));
  CHECK_FALSE(support::same_bits<float>(game.discriminator.params(), d_start));
  const auto d_trained = support::copy_of<float>(game.discriminator.params());

  // A mark in D's gradient: the generator's step must not add to it, nor clear it.
  for (float& g : game.ws.d_grad) g = 7;
  game.g_step(z, Rng(4));
  CHECK(support::same_bits<float>(game.discriminator.params(), d_trained));
  CHECK_FALSE(support::same_bits<float>(game.generator.params(), g_start));
  for (const float g : game.ws.d_grad) REQUIRE(g == 7);

  game.ws.d_grad.zero();
  for (float& g : game.ws.g_grad) g = 7;
  game.d_step(real, z, Rng(5));
  for (const float g : game.ws.g_grad) REQUIRE(g == 7);
}

TEST_CASE("steps: the gradient of the whole, D after G, agrees with central differences") {
  Model<G, double> generator(Rng(1));
  const Model<D, double> discriminator(Rng(2));
  const testing::CheckOptions options{.cap = 300};
  testing::Report report;
  for (const Index batch : {1, 3}) {
    Matrix<double> z = support::random_matrix<double>(10, batch, 3);
    auto g_tape = generator.tape(batch);
    auto d_tape = discriminator.tape(batch);
    const auto loss = [&] {
      discriminator.forward(d_tape, generator.forward(g_tape, z, Rng(4)), Rng(5));
      return smoothed.generator<double>(d_tape.output(), d_tape.output_gradient());
    };
    loss();
    discriminator.backward_input(d_tape, g_tape.output_gradient());
    Buffer<double> grad = generator.zeros();
    Matrix<double> dz(10, batch);
    generator.backward(g_tape, grad, dz);
    const std::string where = ", batch " + std::to_string(batch);
    for (const Index i : testing::detail::choose(z.size(), options.cap, Rng(6)))
      report.compare(dz.data()[i], testing::detail::central_difference(z.data()[i], options.step, loss), options, "dz",
                     i, where);
    for (const Index i : testing::detail::choose(grad.size(), options.cap, Rng(7)))
      report.compare(
          grad[i],
          testing::detail::central_difference(generator.params()[static_cast<std::size_t>(i)], options.step, loss),
          options, "dparams", i, where);
  }
  INFO(report.text());
  CHECK(report.ok());
  CHECK(report.compared() == 640);
}

TEST_CASE("steps: the same bits for any number of threads, after 50 steps of each with dropout") {
  using Seed = Game<Generator<100, 32, 64, 128, 784>, Discriminator<784, 128, 64, 32, 1>>;
  std::vector<Matrix<float>> real, z;
  for (std::uint64_t step = 0; step < 50; ++step) {
    const Index batch = step % 10 == 9 ? 37 : 64;  // the last of an epoch is smaller
    real.push_back(images(784, batch, 100 + step));
    z.push_back(images(100, batch, 200 + step));
  }
  const auto train = [&](int threads) {
    Seed game(64);
    for (std::uint64_t step = 0; step < 50; ++step) {
      game.d_step(real[step], z[step], Rng(7).fold_in(2 * step), Threads{threads});
      game.g_step(z[step], Rng(7).fold_in(2 * step + 1), Threads{threads});
    }
    auto params = support::copy_of<float>(game.generator.params());
    params.insert(params.end(), game.discriminator.params().begin(), game.discriminator.params().end());
    return params;
  };
  const std::vector<float> alone = train(1);
  for (const float p : alone) REQUIRE(std::isfinite(p));
  support::on_each_engine([&] {
    for (const int threads : {2, 3, 4, 8}) {
      CAPTURE(threads);
      CHECK(support::same_bits<float>(train(threads), alone));
    }
  });
}

TEST_CASE("steps: the same bits for any number of threads, with layers whose tiles depend on it") {
  using WideG = Generator<100, 400, 784>;
  using WideD = Discriminator<784, 400, 1>;
  const Matrix<float> real = images(784, 150, 1), z = images(100, 150, 2);
  const auto train = [&](int threads) {
    Game<WideG, WideD> game(150);
    for (std::uint64_t step = 0; step < 3; ++step) {
      game.d_step(real, z, Rng(7).fold_in(2 * step), Threads{threads});
      game.g_step(z, Rng(7).fold_in(2 * step + 1), Threads{threads});
    }
    std::vector<float> all = support::copy_of<float>(std::as_const(game.generator).params());
    const auto d = std::as_const(game.discriminator).params();
    all.insert(all.end(), d.begin(), d.end());
    return all;
  };
  const std::vector<float> alone = train(1);
  support::on_each_engine([&] {
    for (const int threads : {2, 3, 4, 8}) {
      CAPTURE(threads);
      CHECK(support::same_bits<float>(train(threads), alone));
    }
  });
}

namespace {
/// The losses of a few steps, and both networks afterwards.
struct Trained {
  std::vector<float> losses, generator, discriminator;
  bool operator==(const Trained&) const = default;
};
Trained train(std::uint64_t seed, Threads threads) {
  Game game(64);
  Trained trained;
  for (std::uint64_t step = 0; step < 8; ++step) {
    const Rng rng = Rng(seed).fold_in(step);
    const Matrix<float> real = images(33, 64, seed + step), z = images(10, 64, seed + step + 100);
    trained.losses.push_back(game.d_step(real, z, rng.fold_in(0), threads).loss);
    trained.losses.push_back(game.g_step(z, rng.fold_in(1), threads).loss);
  }
  trained.generator = support::copy_of<float>(game.generator.params());
  trained.discriminator = support::copy_of<float>(game.discriminator.params());
  return trained;
}
}  // namespace

TEST_CASE("steps: trainings side by side, in threads of the caller's, are each what they are alone") {
  const std::vector<Trained> alone{train(1, {1}), train(2, {1}), train(3, {1})};
  support::on_each_engine([&] {
    std::vector<Trained> beside(alone.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < alone.size(); ++i) threads.emplace_back([&, i] { beside[i] = train(i + 1, {2}); });
    for (auto& thread : threads) thread.join();
    for (std::size_t i = 0; i < alone.size(); ++i) CHECK(beside[i] == alone[i]);
  });
}

TEST_CASE("steps: inside the caller's own parallel region they end, with the same bits") {
  const std::vector<Trained> alone{train(1, {1}), train(2, {1}), train(3, {1}), train(4, {1})};
  std::vector<Trained> inside(alone.size());
#if defined(_OPENMP)
#pragma omp parallel for num_threads(4)
#endif
  for (std::size_t i = 0; i < inside.size(); ++i) inside[i] = train(i + 1, {});
  for (std::size_t i = 0; i < alone.size(); ++i) CHECK(inside[i] == alone[i]);
}

TEST_CASE("steps: real images may be written straight into the workspace") {
  Game copied(8), in_place(8);
  const Matrix<float> real = images(33, 6, 1), z = images(10, 6, 2);
  copied.d_step(real, z, Rng(3));
  View<float> home = in_place.ws.real(6);
  home = real;
  discriminator_step(in_place.generator, in_place.discriminator, in_place.d_adam, in_place.ws, home, z, Rng(3),
                     smoothed, Threads{1});
  CHECK(support::same_bits<float>(copied.discriminator.params(), in_place.discriminator.params()));
}

TEST_CASE("steps: nothing is allocated once the workspace stands" * doctest::skip(!support::counts_allocations)) {
  // Large enough for several threads, and in three tiles, which four threads cannot share evenly.
  constexpr Index batch = 80;
  using LargeG = Generator<100, 32, 784>;
  using LargeD = Discriminator<784, 64, 1>;
  for (const int threads : {1, 2, 4}) {
    CAPTURE(threads);
    support::warm_threads(threads);
    Game<LargeG, LargeD> game(batch);
    const double work = 2.0 * static_cast<double>(game.generator.param_size() * batch);
    REQUIRE(detail::usable_threads({threads}, work) == (thread_count({2}) == 1 ? 1 : threads));
    const Matrix<float> real = images(784, batch, 1), z = images(100, batch, 2);
    game.d_step(real, z, Rng(3), Threads{threads});
    game.g_step(z, Rng(4), Threads{threads});
    const long before = support::allocations();
    game.d_step(real, z, Rng(5), Threads{threads});
    game.g_step(z, Rng(6), Threads{threads});
    const long in_steps = support::allocations() - before;
    CHECK(in_steps == 0);
  }

  // The count does count: Eigen's, the standard library's and our own.
  const auto counted = [](auto&& make) {
    [[maybe_unused]] static const void* volatile seen;  // or the compiler leaves out what nobody looks at
    const long before = support::allocations();
    const auto made = make();
    seen = made.data();
    const long after = support::allocations();
    return after - before;
  };
  CHECK(counted([] { return Matrix<float>(33, 40); }) == 1);
  CHECK(counted([] { return std::vector<float>(10); }) == 1);
  CHECK(counted([] { return Buffer<float>(10); }) == 1);
}

namespace {

void clip_by_hand(const ClipGrad& clip, Buffer<float>& grad) {
  if (clip.value < 1e9) clip_grad_value(std::span<float>(grad), clip.value);
  if (clip.norm < 1e9) clip_grad_norm(std::span<float>(grad), clip.norm, Threads{1});
}
const ClipGrad clips[] = {{.norm = 0.01}, {.value = 0.001}, {.norm = 0.01, .value = 0.001}};

}  // namespace

TEST_CASE("steps: clipped, they are clipping by hand, to the last bit, a penalty's gradient included") {
  const Matrix<float> real = images(33, 16, 1), z = images(10, 16, 2);
  for (const Halves halves : {Halves::together, Halves::apart})
    for (const ClipGrad& clip : clips) {
      CAPTURE(clip.norm);
      CAPTURE(clip.value);
      Game game(16), free(16);
      Model<G> g(Rng(1));
      Model<D> d(Rng(2));
      Adam<float> g_adam(g.param_size(), {.lr = 0.002}), d_adam(d.param_size(), {.lr = 0.002});
      auto g_tape = g.tape(16);
      auto d_tape = d.tape(halves == Halves::together ? 32 : 16);
      Buffer<float> d_grad = d.zeros(), g_grad = g.zeros();
      for (std::uint64_t step = 0; step < 3; ++step) {
        const Rng rng = Rng(9).fold_in(step);
        std::fill(game.ws.d_grad.begin(), game.ws.d_grad.end(), 0.25f);
        std::fill(free.ws.d_grad.begin(), free.ws.d_grad.end(), 0.25f);
        std::fill(d_grad.begin(), d_grad.end(), 0.25f);
        g_grad.zero();
        discriminator_step(game.generator, game.discriminator, game.d_adam, game.ws, real, z, rng, smoothed, Threads{1},
                           halves, {}, clip);
        generator_step(game.generator, game.discriminator, game.g_adam, game.ws, rng, smoothed, Threads{1}, {}, clip);
        discriminator_step(free.generator, free.discriminator, free.d_adam, free.ws, real, z, rng, smoothed, Threads{1},
                           halves);
        generator_step(free.generator, free.discriminator, free.g_adam, free.ws, rng, smoothed);

        const Matrix<float> fake = g.forward(g_tape, z, rng.fold_in(0));
        if (halves == Halves::together) {
          Matrix<float> both(33, 32);
          both << real, fake;
          const Matrix<float> logits = d.forward(d_tape, both, rng.fold_in(1));
          View<float> gradient = d_tape.output_gradient();
          smoothed.real<float>(ConstView<float>(logits).columns(0, 16), gradient.columns(0, 16));
          smoothed.fake<float>(ConstView<float>(logits).columns(16, 16), gradient.columns(16, 16));
          d.backward_params(d_tape, d_grad);
        } else {
          const ConstView<float> halves_of_batch[] = {real, fake};
          d.forward(d_tape, std::span(halves_of_batch).first(1), Draw{rng.fold_in(1), 0});
          smoothed.real<float>(d_tape.output(), d_tape.output_gradient());
          d.backward_params(d_tape, d_grad);
          d.forward(d_tape, std::span(halves_of_batch).last(1), Draw{rng.fold_in(1), 16});
          smoothed.fake<float>(d_tape.output(), d_tape.output_gradient());
          d.backward_params(d_tape, d_grad);
        }
        clip_by_hand(clip, d_grad);
        d_adam.step(d.params(), d_grad);
        REQUIRE(support::same_bits<float>(game.discriminator.params(), d.params()));

        d.forward(d_tape, fake, rng.fold_in(1));
        smoothed.generator<float>(d_tape.output(), d_tape.output_gradient());
        d.backward_input(d_tape, g_tape.output_gradient());
        g.backward_params(g_tape, g_grad);
        clip_by_hand(clip, g_grad);
        g_adam.step(g.params(), g_grad);
        REQUIRE(support::same_bits<float>(game.generator.params(), g.params()));
      }
      for (const float v : game.ws.d_grad) REQUIRE(v == 0);
      for (const float v : game.ws.g_grad) REQUIRE(v == 0);
      CHECK_FALSE(support::same_bits<float>(game.discriminator.params(), free.discriminator.params()));
      CHECK_FALSE(support::same_bits<float>(game.generator.params(), free.generator.params()));
    }
}

TEST_CASE("steps: clipped, they have the same bits for any number of threads, and allocate nothing") {
  const Matrix<float> real = images(784, 150, 1), z = images(100, 150, 2);
  const auto train = [&](const ClipGrad& clip, Threads threads) {
    Game<Generator<100, 400, 784>, Discriminator<784, 400, 1>> game(150);
    long before = 0;
    for (std::uint64_t step = 0; step < 3; ++step) {
      if (step == 1) before = support::allocations();
      discriminator_step(game.generator, game.discriminator, game.d_adam, game.ws, real, z, Rng(step), smoothed,
                         threads, Halves::together, {}, clip);
      generator_step(game.generator, game.discriminator, game.g_adam, game.ws, z, Rng(step), smoothed, threads, {},
                     clip);
    }
    const long in_steps = support::allocations() - before;
    if (support::counts_allocations) CHECK(in_steps == 0);
    auto all = support::copy_of<float>(std::as_const(game.generator).params());
    const auto d = std::as_const(game.discriminator).params();
    all.insert(all.end(), d.begin(), d.end());
    return all;
  };
  for (const ClipGrad& clip : clips) {
    const std::vector<float> alone = train(clip, {1});
    for (const int threads : {2, 3, 4, 8}) {
      CAPTURE(threads);
      CHECK(support::same_bits<float>(train(clip, {threads}), alone));
    }
  }
}

TEST_CASE("steps: bounds that clip to nothing, or are no numbers, are refused before anything changes") {
  Game game(8);
  const Matrix<float> real = images(33, 8, 1), z = images(10, 8, 2);
  const auto g_start = support::copy_of<float>(game.generator.params());
  const auto d_step = [&](ClipGrad clip) {
    discriminator_step(game.generator, game.discriminator, game.d_adam, game.ws, real, z, Rng(3), smoothed, Threads{1},
                       Halves::apart, {}, clip);
  };
  const auto g_step = [&](ClipGrad clip) {
    generator_step(game.generator, game.discriminator, game.g_adam, game.ws, Rng(3), smoothed, Threads{1}, {}, clip);
  };
  game.d_step(real, z, Rng(3));
  const auto d_start = support::copy_of<float>(game.discriminator.params());
  for (const double bound : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()})
    for (const ClipGrad& clip : {ClipGrad{.norm = bound}, ClipGrad{.value = bound}}) {
      CHECK_THROWS_AS(d_step(clip), std::invalid_argument);
      CHECK_THROWS_AS(g_step(clip), std::invalid_argument);
    }
  CHECK_THROWS_WITH_AS(d_step({.norm = 0}), "eigan::discriminator_step: clip.norm must be more than 0, is 0",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(g_step({.value = -1}), "eigan::generator_step: clip.value must be more than 0, is -1",
                       std::invalid_argument);
  CHECK(support::same_bits<float>(game.discriminator.params(), d_start));
  CHECK(support::same_bits<float>(game.generator.params(), g_start));
  CHECK(game.d_adam.steps() == 1);
  CHECK(game.g_adam.steps() == 0);
  g_step({.norm = 1});  // its samples are as fresh as they were
}

TEST_CASE("steps: batches that do not fit are refused") {
  Game game(8);
  CHECK_THROWS_WITH_AS(game.d_step(images(33, 8, 1), images(10, 7, 2), Rng(3)),
                       "eigan::discriminator_step: 8 real samples but 7 z", std::invalid_argument);
  CHECK_THROWS_WITH_AS(game.d_step(images(33, 9, 1), images(10, 9, 2), Rng(3)),
                       "eigan: this GanWorkspace holds batches of up to 8, got 9", std::invalid_argument);
  CHECK_THROWS_WITH_AS(game.d_step(images(32, 8, 1), images(10, 8, 2), Rng(3)),
                       "eigan::discriminator_step: a real sample must have 33 features, has 32", std::invalid_argument);
  CHECK_THROWS_WITH_AS(generator_step(game.generator, game.discriminator, game.g_adam, game.ws, Rng(3)),
                       "eigan::generator_step: no samples of the generator as it is; a discriminator_step makes them",
                       std::invalid_argument);
  const Matrix<float> real = images(33, 4, 1), z = images(10, 4, 2);
  const auto again = [&] { generator_step(game.generator, game.discriminator, game.g_adam, game.ws, Rng(3)); };
  game.d_step(real, z, Rng(3));
  again();
  CHECK_THROWS_AS(again(), std::invalid_argument);  // it has learnt from them
  game.d_step(real, z, Rng(3));
  game.ws.real(4);
  again();
  game.d_step(real, z, Rng(3));
  game.ws.real(8);  // overwrites them
  CHECK_THROWS_AS(again(), std::invalid_argument);
  CHECK_THROWS_AS(game.g_step(images(10, 9, 2), Rng(3)), std::invalid_argument);
  CHECK_THROWS_AS(game.g_step(images(11, 8, 2), Rng(3)), std::invalid_argument);
}
