// Lesson 6: two networks against each other.
//
// A generator G makes points out of random numbers z; a discriminator D says whether a point is real. D learns from
// real points and from G's. G learns to make points that D takes for real, and all that it ever learns about real
// points is the gradient that comes back through D. Here the real points lie on a ring, 0.7 from the center.
//
// discriminator_step and generator_step are free functions; the loop that alternates them is yours. Each gets memory
// to work in, the GanWorkspace, and random numbers of its own: an Rng is a key, not a sequence, and fold_in makes
// another key for every step and every purpose.
#include <algorithm>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <numbers>
#include <set>

#include <eigan/eigan.hpp>

using namespace eigan;

void make_ring(View<float> points, Rng rng) {
  fill_uniform<float>(points, 0, 2 * std::numbers::pi, rng);
  const Matrix<float> angle = points.row(0);
  points.row(0) = 0.7f * angle.array().cos();
  points.row(1) = 0.7f * angle.array().sin();
}

// A character for every cell of the square from -1 to 1: the more points in it, the darker.
void draw(const Matrix<float>& points) {
  Matrix<int> hits = Matrix<int>::Zero(20, 40);
  for (const auto& p : points.colwise())
    ++hits(static_cast<Index>(10 - 9.9f * p.y()), static_cast<Index>(20 + 19.9f * p.x()));
  for (const auto& row : hits.rowwise()) {
    for (const int n : row) std::cout << " .o#"[std::min(3, (n + 3) / 4)];
    std::cout << '\n';
  }
}

int main() {
  constexpr Index batch = 64;
  const Rng rng(1);
  Model g(make_generator<4, 32, 32, 2>({.dropout = 0}), rng.fold_in(0));
  Model d(make_discriminator<2, 64, 64, 1>({.dropout = 0}), rng.fold_in(1));
  Adam g_adam(g.param_size(), {.beta1 = 0.5}), d_adam(d.param_size(), {.beta1 = 0.5});
  GanWorkspace workspace(g, d, batch);

  // [loop]
  Matrix<float> real(2, batch), z(4, batch);
  for (std::uint64_t step = 0; step < 3000; ++step) {
    const Rng now = rng.fold_in(2).fold_in(step);
    make_ring(real, now.fold_in(0));
    fill_uniform<float>(z, -1, 1, now.fold_in(1));
    discriminator_step(g, d, d_adam, workspace, real, z, now.fold_in(2));

    fill_uniform<float>(z, -1, 1, now.fold_in(3));
    generator_step(g, d, g_adam, workspace, z, now.fold_in(4));
  }
  // [/loop]

  Matrix<float> many_z(4, 1000);
  fill_uniform<float>(many_z, -1, 1, rng.fold_in(3));
  const Matrix<float> points = g.infer(many_z);
  std::cout << "1000 generated points:\n";
  draw(points);

  std::set<int> directions;  // of 30 degrees each
  for (const auto& p : points.colwise())
    directions.insert(static_cast<int>(6 + 5.99f * std::atan2(p.y(), p.x()) / std::numbers::pi_v<float>));
  std::cout << std::fixed << std::setprecision(1) << "mean distance from the center " << points.colwise().norm().mean()
            << ", points in " << directions.size() << " of 12 directions\n";
}
