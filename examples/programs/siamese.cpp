// A siamese network (Hadsell, Chopra, LeCun 2006): one network maps both samples of a pair, near each other where they
// are of one kind and at least 1 apart where not. Here kinds are rings in the plane, which no distance in it tells.
//   L = mean( d^2 where they are of one kind,  max(1 - d, 0)^2 elsewhere ),   d = |a - b|
#include <cmath>
#include <iostream>
#include <vector>

#include <eigan/eigan.hpp>

using namespace eigan;

/// Points of rings with the radii 1, 2 and 3; returns which.
std::vector<int> points(Matrix<float>& x, Rng rng) {
  std::vector<int> kinds;
  for (Index j = 0; j < x.cols(); ++j) {
    const auto u = [&](Index i) { return static_cast<float>(rng.uniform(i, j)); };
    kinds.push_back(static_cast<int>(3 * u(0)));
    const float radius = float(1 + kinds.back()) + 0.2f * (u(1) - 0.5f), angle = 6.2831853f * u(2);
    x.col(j) << radius * std::cos(angle), radius * std::sin(angle);
  }
  return kinds;
}

int main() {
  constexpr Index batch = 64;
  Model<Sequential<Linear<2, 32>, Tanh, Linear<32, 16>, Tanh, Linear<16, 2>>> model(Rng(1));
  auto left = model.tape(batch), right = model.tape(batch);  // two passes at once are two tapes
  auto gradient = model.zeros();
  Adam adam(gradient.size(), {.lr = 0.005});
  Matrix<float> x(2, batch), y(2, batch);
  for (std::uint64_t step = 0; step < 1500; ++step) {
    const auto kinds_x = points(x, Rng(2).fold_in(step)), kinds_y = points(y, Rng(3).fold_in(step));
    const auto a = model.forward(left, x), b = model.forward(right, y);
    View<float> da = left.output_gradient(), db = right.output_gradient();
    for (Index j = 0; j < batch; ++j) {
      const Eigen::VectorXf between = a.col(j) - b.col(j);
      const float d = between.norm() + 1e-6f;
      const bool same = kinds_x[static_cast<std::size_t>(j)] == kinds_y[static_cast<std::size_t>(j)];
      da.col(j) = between * (same ? 2 : d < 1 ? -2 * (1 - d) / d : 0) / float(batch);
      db.col(j) = -da.col(j);
    }
    gradient.zero();
    model.backward_params(left, gradient);  // adds
    model.backward_params(right, gradient);
    adam.step(model.params(), gradient);
  }
  Matrix<float> p(2, 500), q(2, 500);
  const auto kinds_p = points(p, Rng(4)), kinds_q = points(q, Rng(5));
  const Matrix<float> between = model.infer(p) - model.infer(q);
  int right_pairs = 0;
  for (Index j = 0; j < 500; ++j)
    right_pairs += (between.col(j).norm() < 0.5f) ==
                   (kinds_p[static_cast<std::size_t>(j)] == kinds_q[static_cast<std::size_t>(j)]);
  std::clog << "pairs that are told " << right_pairs << '\n';
  std::cout << "above 95 % of 500 pairs are told: " << std::boolalpha << (right_pairs > 475) << '\n';
}
