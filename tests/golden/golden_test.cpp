// eigan against PyTorch: make_fixtures.py wrote what PyTorch computed, support.hpp says how closely it must be met.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <eigan/eigan.hpp>
#include <eigan/io/model_file.hpp>

#include "golden/support.hpp"

using namespace eigan;
using test::Agreement;
using test::Fixture;

namespace {

template <class T, class L>
void check_layer(const L& layer, const std::string& name, const std::string& file = "layers") {
  const Fixture<T> fixture(file);
  Agreement<T> agreement(name);
  const auto parameters = detail::parameters_of(layer);
  const auto p = fixture.parameters(parameters, name + ".");
  const auto x = fixture.matrix(name + ".x"), dy = fixture.matrix(name + ".dy");

  Matrix<T> y(dy.rows(), dy.cols()), dx(x.rows(), x.cols());
  layer.template forward<T>(p, x, y);
  agreement.check("y", y, fixture.matrix(name + ".y"));
  layer.template backward_input<T>(p, x, y, dy, dx);
  agreement.check("dx", dx, fixture.matrix(name + ".dx"));
  if constexpr (ParametricLayer<L, T>) {
    std::vector<T> dp(p.size());
    layer.template backward_params<T>(p, x, y, dy, dp);
    agreement.check("dp", dp, fixture.parameters(parameters, name + ".d"));
  }
}

/// f(y, target, dy) returns the loss and assigns dy.
template <class T, class F>
void check_loss(const std::string& name, const F& f) {
  const Fixture<T> fixture("losses");
  Agreement<T> agreement(name);
  const auto y = fixture.matrix(name + ".y"), target = fixture.matrix(name + ".target");
  Matrix<T> dy(y.rows(), y.cols());
  agreement.check("loss", f(ConstView<T>(y), ConstView<T>(target), View<T>(dy)), fixture.number(name + ".loss"));
  agreement.check("dy", dy, fixture.matrix(name + ".dy"));
}

/// make(size, options) returns the optimiser; cases are numbered from 0.
template <class T, class F>
void check_optimizer(const std::string& name, int cases, const F& make) {
  const Fixture<T> fixture("optimizers");
  Agreement<T> agreement(name);
  REQUIRE_FALSE(fixture.has(name + "." + std::to_string(cases) + ".options"));
  for (int i = 0; i < cases; ++i) {
    const std::string prefix = name + "." + std::to_string(i);
    auto params = fixture.values("start");
    auto optimizer = make(std::ssize(params), fixture.template values<double>(prefix + ".options"));
    for (Index step = 0; step < 20; ++step) {
      const auto grad = fixture.matrix("grads", step);
      optimizer.step(params, std::span(grad.data(), params.size()));
      agreement.check(prefix + " after step " + std::to_string(step + 1), ConstView<T>(params.data(), grad.rows(), 1),
                      fixture.matrix(prefix + ".params", step));
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("Linear: as torch.nn.Linear", T, float, double) {
  check_layer<T>(Linear<19, 35>(), "linear");
}

TEST_CASE_TEMPLATE("LeakyReLU, ReLU, Tanh, Sigmoid: as in torch.nn", T, float, double) {
  for (const std::string special : {"", "_special"}) {
    check_layer<T>(LeakyReLU(0.2), "leaky_relu" + special);
    check_layer<T>(ReLU(), "relu" + special);
    check_layer<T>(Tanh(), "tanh" + special);
    check_layer<T>(Sigmoid(), "sigmoid" + special);
  }
}

TEST_CASE_TEMPLATE("ELU, GELU, SiLU, Softplus: as in torch.nn", T, float, double) {
  for (const std::string special : {"", "_special"}) {
    check_layer<T>(ELU(0.7), "elu" + special, "activations");
    check_layer<T>(GELU(), "gelu" + special, "activations");
    check_layer<T>(SiLU(), "silu" + special, "activations");
    check_layer<T>(Softplus(), "softplus" + special, "activations");
    check_layer<T>(Softplus(2, 3), "softplus_2" + special, "activations");
  }
}

TEST_CASE_TEMPLATE("PReLU: as torch.nn.PReLU, with a slope for all, for each feature, for each channel", T, float,
                   double) {
  check_layer<T>(PReLU(), "prelu", "activations");
  check_layer<T>(PReLU(21), "prelu_features", "activations");
  check_layer<T>(PReLU(3), "prelu_image", "activations");
}

TEST_CASE_TEMPLATE("BCE: as torch.nn.BCELoss, also at 0 and 1", T, float, double) {
  for (const char* name : {"bce", "bce_ends"})
    check_loss<T>(name, [](auto y, auto target, auto dy) { return bce<T>(y, target, dy); });
}

TEST_CASE_TEMPLATE("BCEWithLogits: as torch.nn.BCEWithLogitsLoss, also at logits of 1e4", T, float, double) {
  for (const char* name : {"bce_with_logits", "bce_with_logits_smoothed", "bce_with_logits_extreme"})
    check_loss<T>(name, [](auto y, auto target, auto dy) { return bce_with_logits<T>(y, target, dy); });
  check_loss<T>("bce_with_logits_smoothed",
                [](auto y, auto target, auto dy) { return bce_with_logits<T>(y, target(0, 0), dy); });
}

TEST_CASE_TEMPLATE("MSE: as torch.nn.MSELoss", T, float, double) {
  check_loss<T>("mse", [](auto y, auto target, auto dy) { return mse<T>(y, target, dy); });
}

TEST_CASE_TEMPLATE("L1, Huber: as torch.nn.L1Loss and torch.nn.HuberLoss", T, float, double) {
  check_loss<T>("l1", [](auto y, auto target, auto dy) { return l1<T>(y, target, dy); });
  check_loss<T>("huber_0.5", [](auto y, auto target, auto dy) { return huber<T>(y, target, dy, T(0.5)); });
  check_loss<T>("huber_1.0", [](auto y, auto target, auto dy) { return huber<T>(y, target, dy); });
  check_loss<T>("huber_2.0", [](auto y, auto target, auto dy) { return huber<T>(y, target, dy, 2); });
}

TEST_CASE_TEMPLATE("KlDivergence: as torch.distributions.kl_divergence of two normals", T, float, double) {
  const Fixture<T> fixture("losses");
  Agreement<T> agreement("kl");
  const auto mu = fixture.matrix("kl.mu"), logvar = fixture.matrix("kl.logvar");
  Matrix<T> dmu(mu.rows(), mu.cols()), dlogvar(mu.rows(), mu.cols());
  for (const auto& [name, reduction] : {std::pair("mean", Reduction::mean), {"batchmean", Reduction::batchmean}}) {
    const std::string prefix = std::string("kl.") + name;
    const T loss = kl_divergence(mu, logvar, View<T>(dmu), View<T>(dlogvar), reduction);
    agreement.check("loss", loss, fixture.number(prefix + ".loss"));
    agreement.check("dmu", dmu, fixture.matrix(prefix + ".dmu"));
    agreement.check("dlogvar", dlogvar, fixture.matrix(prefix + ".dlogvar"));
  }
}

TEST_CASE_TEMPLATE("CrossEntropy: soft targets, smoothed labels and pixels as in PyTorch", T, float, double) {
  check_loss<T>("cross_entropy_soft", [](auto z, auto target, auto dz) { return cross_entropy<T>(z, target, dz); });
  check_loss<T>("cross_entropy_smoothed", [](auto z, auto target, auto dz) {
    const std::vector<int> labels(target.data(), target.data() + target.size());
    Matrix<T> soft(z.rows(), z.cols());
    soft_targets(labels, 0.1, View<T>(soft));
    return cross_entropy<T>(z, soft, dz);
  });
  check_loss<T>("cross_entropy_image", [](auto z, auto target, auto dz) {
    const std::vector<int> labels(target.data(), target.data() + target.size());
    return cross_entropy<T>(z, labels, dz, 10);
  });
}

TEST_CASE_TEMPLATE("CrossEntropy: as torch.nn.CrossEntropyLoss, also at logits of 1e4", T, float, double) {
  for (const char* name : {"cross_entropy", "cross_entropy_extreme"})
    check_loss<T>(name, [](auto y, auto target, auto dy) {
      const std::vector<int> labels(target.data(), target.data() + target.size());
      return cross_entropy<T>(y, std::span(labels), dy);
    });
}

TEST_CASE_TEMPLATE("Adam: as torch.optim.Adam over 20 steps", T, float, double) {
  check_optimizer<T>("adam", 4, [](Index size, const std::vector<double>& o) {
    return Adam<T>(size, {.lr = o[0], .beta1 = o[1], .beta2 = o[2], .eps = o[3], .weight_decay = o[4]});
  });
}

TEST_CASE_TEMPLATE("AdamW: as torch.optim.AdamW over 20 steps", T, float, double) {
  check_optimizer<T>("adamw", 3, [](Index size, const std::vector<double>& o) {
    return AdamW<T>(size, {.lr = o[0], .beta1 = o[1], .beta2 = o[2], .eps = o[3], .weight_decay = o[4]});
  });
}

TEST_CASE_TEMPLATE("RMSprop: as torch.optim.RMSprop over 20 steps", T, float, double) {
  check_optimizer<T>("rmsprop", 4, [](Index size, const std::vector<double>& o) {
    return RMSprop<T>(size, {.lr = o[0], .alpha = o[1], .eps = o[2], .weight_decay = o[3], .momentum = o[4]});
  });
}

TEST_CASE_TEMPLATE("SGD: as torch.optim.SGD over 20 steps", T, float, double) {
  check_optimizer<T>("sgd", 5, [](Index size, const std::vector<double>& o) {
    return SGD<T>(size, {.lr = o[0], .momentum = o[1], .weight_decay = o[2], .nesterov = o[3] != 0});
  });
}

TEST_CASE_TEMPLATE("Model: a whole network as PyTorch, loaded from its state dictionary", T, float, double) {
  using Net = Sequential<Linear<20, 33>, LeakyReLU, Linear<33, 17>, ReLU, Linear<17, 9>, Tanh, Linear<9, 3>, Sigmoid>;
  Model<Net, T> model(Net({}, LeakyReLU(0.2), {}, {}, {}, {}, {}, {}), Rng(1));
  load(test::fixture_path<T>("mlp_state"), model);

  const Fixture<T> fixture("mlp");
  Agreement<T> agreement("mlp");
  const auto x = fixture.matrix("x");
  auto tape = model.tape(x.cols());
  agreement.check("y", model.forward(tape, x), fixture.matrix("y"));
  agreement.check("y of infer", model.infer(x), fixture.matrix("y"));

  tape.output_gradient() = fixture.matrix("dy");
  auto grad = model.zeros();
  Matrix<T> dx(x.rows(), x.cols());
  model.backward(tape, grad, dx);
  agreement.check("dx", dx, fixture.matrix("dx"));
  agreement.check("grad", std::span<const T>(grad), fixture.parameters(model.parameters(), "grad."));
}

TEST_CASE_TEMPLATE("discriminator_step, generator_step: ten of each as in PyTorch", T, float, double) {
  const Fixture<T> fixture("gan");
  Agreement<T> agreement("gan");
  Model<Generator<5, 7, 9>, T> generator(make_generator<5, 7, 9>({.dropout = 0}), Rng(1));
  Model<Discriminator<9, 8, 1>, T> discriminator(make_discriminator<9, 8, 1>({.dropout = 0}), Rng(2));
  const auto g_params = [&](Index step) { return fixture.parameters(generator.parameters(), "generator.", step); };
  const auto d_params = [&](Index step) {
    return fixture.parameters(discriminator.parameters(), "discriminator.", step);
  };
  std::ranges::copy(g_params(0), generator.params().begin());
  std::ranges::copy(d_params(0), discriminator.params().begin());
  GanWorkspace workspace(generator, discriminator, 6);
  const AdamOptions options{.lr = 0.002, .beta1 = 0.9, .beta2 = 0.999};
  Adam<T> g_optimizer(std::ssize(generator.params()), options);
  Adam<T> d_optimizer(std::ssize(discriminator.params()), options);
  const NonSaturatingLoss loss{.real_label = 0.9};

  for (Index i = 0; i < 10; ++i) {
    const auto check = [&](const std::string& what, T actual, const std::string& name) {
      agreement.check(what + " in step " + std::to_string(i + 1), actual, fixture.number(name, i));
    };
    const auto check_parameters = [&](const char* when, Index g_steps, Index d_steps) {
      const std::string place = std::string(" after ") + when + " step " + std::to_string(i + 1);
      agreement.check("generator" + place, std::as_const(generator).params(), g_params(g_steps));
      agreement.check("discriminator" + place, std::as_const(discriminator).params(), d_params(d_steps));
    };
    const auto rng = Rng(3).fold_in(static_cast<std::uint64_t>(i));  // not used: no dropout

    const Matrix<T> real = fixture.matrix("real", i), d_z = fixture.matrix("d_z", i), g_z = fixture.matrix("g_z", i);
    const auto d = discriminator_step(generator, discriminator, d_optimizer, workspace, real, d_z, rng, loss);
    check("discriminator's loss", d.loss, "d_step.loss");
    check("D(real)", d.d_real, "d_step.real");
    check("D(fake)", d.d_fake, "d_step.fake");
    check_parameters("discriminator", i, i + 1);

    const auto g = generator_step(generator, discriminator, g_optimizer, workspace, g_z, rng, loss);
    check("generator's loss", g.loss, "g_step.loss");
    check("D(fake) of the generator", g.d_fake, "g_step.fake");
    check_parameters("generator", i + 1, i + 1);
  }
}
