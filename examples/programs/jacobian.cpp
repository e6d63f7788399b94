// Derivatives of a network's outputs with respect to its inputs: a network learns where an arm with two joints has its
// hand, (cos a + cos(a + b), sin a + sin(a + b)), and its Jacobian steers the hand to a place: J^T (J J^T)^-1 e is
// added to the angles until it is there.
#include <cmath>
#include <iostream>

#include <eigan/eigan.hpp>
#include <Eigen/Dense>

using namespace eigan;

Matrix<double> hands(const Matrix<double>& angles) {
  const Eigen::ArrayXd a = angles.row(0), both = a + angles.row(1).transpose().array();
  Matrix<double> hand(2, angles.cols());
  hand << (a.cos() + both.cos()).transpose(), (a.sin() + both.sin()).transpose();
  return hand;
}

int main() {
  Model<Sequential<Linear<2, 48>, Tanh, Linear<48, 2>>, double> model(Rng(1));
  Matrix<double> angles(2, 128);
  fill_uniform<double>(angles, 0.2, 1.8, Rng(2));
  const Matrix<double> places = hands(angles);
  auto tape = model.tape(128);
  auto gradient = model.zeros();
  Adam<double> adam(gradient.size());
  for (Index step = 0; step < 3000; ++step) {
    adam.options().lr = 0.01 * cosine_decay(step, 3000);
    const auto y = model.forward(tape, angles);
    mse<double>(y, places, tape.output_gradient());
    backward_and_step(model, tape, adam, gradient);
  }

  // Row i of the Jacobian is the gradient of output i: two copies of the input, one way back with a one for each
  // output.
  auto rows = model.tape(2);
  const auto jacobian = [&](const Eigen::Vector2d& at) {
    const Matrix<double> twice = at.replicate(1, 2);
    model.forward(rows, twice);
    rows.output_gradient().setIdentity();
    Matrix<double> transposed(2, 2);
    model.backward_input(rows, transposed);
    return Eigen::Matrix2d(transposed.transpose());
  };
  const Eigen::Vector2d at(0.7, 0.9);
  const double s = std::sin(1.6), c = std::cos(1.6);
  const Eigen::Matrix2d exact{{-std::sin(0.7) - s, -s}, {std::cos(0.7) + c, c}};
  const double off = (jacobian(at) - exact).cwiseAbs().maxCoeff();
  std::clog << "largest error of the Jacobian " << off << '\n';
  std::cout << std::boolalpha << "the Jacobian is right within 0.1: " << (off < 0.1) << '\n';

  const Eigen::Vector2d goal = hands(Matrix<double>{{1.2}, {0.6}});
  Eigen::Vector2d arm = at;
  for (int step = 0; step < 20; ++step) {
    const Eigen::Matrix2d j = jacobian(arm);
    arm += j.transpose() * (j * j.transpose()).inverse() * (goal - Eigen::Vector2d(model.infer(arm)));
  }
  std::cout << "the hand is there within 0.05: " << ((hands(arm) - goal).norm() < 0.05) << '\n';
}
