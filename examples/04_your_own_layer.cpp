// Lesson 4: a layer of your own.
//
// A layer is a small struct. There is nothing to inherit from and nothing to register: a type with the right
// functions is a layer, and the static_assert below says so. It owns no memory; what it reads and writes is handed
// to it. x, y are the input and output of the forward pass, p the layer's parameters, and d in front of a letter
// means the gradient of the loss with respect to it. A layer without parameters needs forward and backward_input only.
//
// This one, a ReLU that learns its slope a below zero, is the PReLU of He et al. (2015):
//     y = x          dx = dy                            where x > 0
//     y = a x        dx = a dy      da += sum of x dy   elsewhere
// Two lines of the struct describe it to others: `elementwise` says that each output depends on the input in the
// same place only, so that any size fits, and `backward_reads_y` that the output is not needed on the way back.
#include <iomanip>
#include <iostream>

#include <eigan/eigan.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

// [layer]
struct Slope {
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_y = false;

  Index param_size() const { return 1; }

  template <class T>
  void init(std::span<T> p, Rng) const {
    p[0] = T(0.25);
  }
  template <class T>
  void forward(std::span<const T> p, ConstView<T> x, View<T> y) const {
    y = (x.array() > 0).select(x, p[0] * x);
  }
  template <class T>
  void backward_input(std::span<const T> p, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    dx = (x.array() > 0).select(dy, p[0] * dy);
  }
  template <class T>
  void backward_params(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp) const {
    dp[0] += (x.array() > 0).select(T(0), x.cwiseProduct(dy)).sum();
  }
};
static_assert(ParametricLayer<Slope>);
// [/layer]

int main() {
  // [check]
  const testing::Report report = testing::check_gradients(Slope{});
  std::cout << (report.ok() ? "The gradients are right.\n" : report.text());
  // [/check]

  // It works in a network like any other. This one can become the function that made the data, and finds it:
  //     y = u for u > 0 and 0.1 u below, with u = 2 x - 1
  Matrix<float> x(1, 64);
  fill_uniform<float>(x, -1, 2, Rng(1));
  const Matrix<float> u = (2 * x.array() - 1).matrix();
  const Matrix<float> target = (u.array() > 0).select(u, 0.1f * u);

  Model<Sequential<Linear<1, 1>, Slope>> model(Rng(5));
  auto tape = model.tape(64);
  auto gradient = model.zeros();
  Adam adam(gradient.size(), {.lr = 0.02});
  for (int step = 0; step < 1000; ++step) {
    const auto y = model.forward(tape, x);
    mse<float>(y, target, tape.output_gradient());
    gradient.zero();
    model.backward_params(tape, gradient);
    adam.step(model.params(), gradient);
  }
  std::cout << std::fixed << std::setprecision(2) << "weight " << model.params<0>()[0] << ", bias "
            << model.params<0>()[1] << ", slope " << model.params<1>()[0] << '\n';
}
