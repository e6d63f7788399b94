// A Wasserstein network with a penalty on the critic's slope (Gulrajani et al. 2017) that learns points on a circle of
// eight spots.
#include <cmath>
#include <iostream>
#include <set>

#include <eigan/eigan.hpp>

using namespace eigan;

/// The critic tells real from generated samples by the difference of its means.
struct WassersteinLoss {
  template <class T>
  T real(ConstView<T> z, View<T> dz) const {
    dz.setConstant(T(-1) / static_cast<T>(z.size()));
    return -z.mean();
  }
  template <class T>
  T fake(ConstView<T> z, View<T> dz) const {
    dz.setConstant(T(1) / static_cast<T>(z.size()));
    return z.mean();
  }
  template <class T>
  T generator(ConstView<T> z, View<T> dz) const {
    return real<T>(z, dz);
  }
};

void draw_spots(View<float> x, Rng rng) {
  fill_normal(x, 0, 0.05, rng);
  for (Index j = 0; j < x.cols(); ++j) {
    const double angle = std::floor(8 * rng.fold_in(1).uniform(0, j)) * 0.78539816;
    x(0, j) += static_cast<float>(std::cos(angle));
    x(1, j) += static_cast<float>(std::sin(angle));
  }
}

int main() {
  constexpr Index batch = 128;
  Model<Sequential<Linear<4, 64>, ReLU, Linear<64, 64>, ReLU, Linear<64, 2>>> g(Rng(1));
  Model<Sequential<Linear<2, 64>, LeakyReLU, Linear<64, 64>, LeakyReLU, Linear<64, 1>>> critic(Rng(2));
  const AdamOptions options{.lr = 1e-3, .beta1 = 0, .beta2 = 0.9};
  Adam g_adam(g.param_size(), options), critic_adam(critic.param_size(), options);
  GanWorkspace workspace(g, critic, batch);
  GradientPenalty penalty(critic, batch);
  Ema<float> average(g.params(), 0.998);
  Matrix<float> real(2, batch), z(4, batch);
  for (std::uint64_t step = 0; step < 3000; ++step) {
    const Rng rng = Rng(3).fold_in(step);
    draw_spots(real, rng.fold_in(0));
    fill_normal<float>(z, 0, 1, rng.fold_in(1));
    penalty.add_wgan_gp(critic, real, g.infer(z), 1.f, workspace.d_grad, rng.fold_in(2));
    discriminator_step(g, critic, critic_adam, workspace, real, z, rng.fold_in(3), WassersteinLoss{});
    if (step % 3 == 2) {
      generator_step(g, critic, g_adam, workspace, rng.fold_in(4), WassersteinLoss{});
      average.update(g.params());
    }
  }
  std::ranges::copy(average.params(), g.params().begin());
  Matrix<float> many(4, 2000);
  fill_normal<float>(many, 0, 1, Rng(4));
  const Matrix<float> samples = g.infer(many);
  std::set<int> spots;
  int near = 0;
  for (Index j = 0; j < samples.cols(); ++j) {
    const float spot = std::round(std::atan2(samples(1, j), samples(0, j)) / 0.78539816f);
    const Eigen::Vector2f middle(std::cos(spot * 0.78539816f), std::sin(spot * 0.78539816f));
    if ((samples.col(j) - middle).norm() > 0.25f) continue;
    ++near, spots.insert(static_cast<int>(spot + 8) % 8);
  }
  std::clog << "samples in a spot " << near << '\n';
  std::cout << spots.size() << " of 8 spots; more than 80 % of the samples lie in one: " << std::boolalpha
            << (near > 1600) << '\n';
}
