// Lesson 2: is the gradient right?
//
// Every layer here has its backward pass written by hand, and a hand can slip. check_gradients compares it with the
// forward pass: it moves every input and every parameter a little to both sides, in double precision, and looks how
// the output changes. This program checks a layer of the library and a whole network with its loss. Then it checks a
// layer with a mistake, so that you know what a wrong gradient looks like before you write one yourself.
//
// A derivative that is off by a factor is the commonest mistake. The second commonest is found as well: a layer may
// be used twice, so parameter gradients must be added to what is there (+=), while dx must be assigned (=).
#include <iostream>

#include <eigan/eigan.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

// y = x^2, so dx = 2 x dy. A wrong factor is a wrong layer.
struct Square {
  static constexpr bool elementwise = true;
  double factor = 2;

  template <class T>
  void forward(std::span<const T>, ConstView<T> x, View<T> y) const {
    y.array() = x.array().square();
  }
  template <class T>
  void backward_input(std::span<const T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    dx.array() = static_cast<T>(factor) * x.array() * dy.array();
  }
};

void print(const char* what, const testing::Report& report) {
  std::cout << what << ": " << report.compared() << " derivatives, " << report.failures().size() << " wrong\n";
  if (!report.ok()) std::cout << "    " << report.failures().front() << '\n';
}

int main() {
  print("Linear(7, 3)", testing::check_gradients(Linear<7, 3>{}));
  print("Square", testing::check_gradients(Square{}));
  print("Square, with x dy instead of 2 x dy", testing::check_gradients(Square{.factor = 1}));

  // A network in double precision, under the loss that it would be trained with.
  Model<Sequential<Linear<5, 8>, Tanh, Dropout, Linear<8, 1>>, double> model(Rng(1));
  const auto loss = [](ConstView<double> z, View<double> dz) { return bce_with_logits<double>(z, 0.9, dz); };
  print("A network and its loss", testing::check_model(model, loss));
}
