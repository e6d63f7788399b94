// EXPECT: MustBeALayer<Triple, 1>
// EXPECT: this type lacks forward or backward_input
// EXPECT(GNU): layer.forward\(
// EXPECT(Clang): no member named .forward. in .Triple.
#include <span>

#include <eigan/layers/linear.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

struct Triple {
  static constexpr bool elementwise = true;
#ifndef EIGAN_REJECT
  template <class T>
  void forward(std::span<const T>, eigan::ConstView<T> x, eigan::View<T> y) const {
    y = T(3) * x;
  }
#endif
  template <class T>
  void backward_input(std::span<const T>, eigan::ConstView<T>, eigan::ConstView<T>, eigan::ConstView<T> dy,
                      eigan::View<T> dx) const {
    dx = T(3) * dy;
  }
};

eigan::Index output_size() {
  return eigan::Model<eigan::Sequential<eigan::Linear<4, 3>, Triple>>(eigan::Rng(1)).output_size();
}
