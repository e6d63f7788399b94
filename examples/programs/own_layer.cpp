// A layer of one's own, Snake (Ziyin, Hartwig, Ueda 2020), which learns how fast it swings:
//   y = x + sin(a x)^2 / a      dx = dy (1 + sin(2 a x))      da = sum dy (x sin(2 a x) / a - sin(a x)^2 / a^2)
// A network of it goes on with a periodic signal beyond the samples that it has seen.
#include <cmath>
#include <iostream>

#include <eigan/eigan.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

struct Snake {
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_y = false;
  Index param_size() const { return 1; }
  template <class T>
  void init(std::span<T> a, Rng) const {
    a[0] = 2;
  }
  template <class T>
  void forward(std::span<const T> a, ConstView<T> x, View<T> y) const {
    y = x.array() + (a[0] * x.array()).sin().square() / a[0];
  }
  template <class T>
  void backward_input(std::span<const T> a, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    dx = dy.array() * (1 + (2 * a[0] * x.array()).sin());
  }
  template <class T>
  void backward_params(std::span<const T> a, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> da) const {
    const auto ax = a[0] * x.array();
    da[0] += (dy.array() * (x.array() * (2 * ax).sin() / a[0] - ax.sin().square() / (a[0] * a[0]))).sum();
  }
};

int main() {
  std::cout << (testing::check_gradients(Snake{}).ok() ? "the gradients are right\n" : "a gradient is wrong\n");
  Model<Sequential<Linear<1, 32>, Snake, Linear<32, 1>>> model(Rng(1));
  const Matrix<float> x = Eigen::RowVectorXf::LinSpaced(200, -6, 6), target = x.array().sin() * 2;
  auto tape = model.tape(x.cols());
  auto gradient = model.zeros();
  AdamW adam(gradient.size(), {.weight_decay = 1e-2});
  for (Index step = 0; step < 3000; ++step) {
    adam.options().lr = 0.01 * cosine_decay(step, 3000);
    const auto y = model.forward(tape, x);
    mse<float>(y, target, tape.output_gradient());
    backward_and_step(model, tape, adam, gradient);
  }
  const Eigen::RowVectorXf beyond = Eigen::RowVectorXf::LinSpaced(50, 6, 9);
  const float error = mse<float>(model.infer(beyond), Matrix<float>(beyond.array().sin() * 2));
  std::clog << "squared error " << error << '\n';
  std::cout << "half a period beyond the samples less than 10 % of the power is wrong: " << std::boolalpha
            << (error < 0.2f) << '\n';
}
