// EXPECT: MustBeALayer<Gain, 0>
// EXPECT: this layer has param_size\(\) but lacks init or backward_params
// EXPECT(GNU): layer.backward_params\(
// EXPECT(Clang): no member named .backward_params. in .Gain.
#include <span>

#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

// y = gain x, one gain for all features.
struct Gain {
  static constexpr eigan::Index input = 3, output = 3;
  eigan::Index param_size() const { return 1; }
  template <class T>
  void init(std::span<T> p, eigan::Rng) const {
    p[0] = T(1);
  }
  template <class T>
  void forward(std::span<const T> p, eigan::ConstView<T> x, eigan::View<T> y) const {
    y = p[0] * x;
  }
  template <class T>
  void backward_input(std::span<const T> p, eigan::ConstView<T>, eigan::ConstView<T>, eigan::ConstView<T> dy,
                      eigan::View<T> dx) const {
    dx = p[0] * dy;
  }
#ifndef EIGAN_REJECT
  template <class T>
  void backward_params(std::span<const T>, eigan::ConstView<T> x, eigan::ConstView<T>, eigan::ConstView<T> dy,
                       std::span<T> dp) const {
    dp[0] += x.cwiseProduct(dy).sum();
  }
#endif
};

eigan::Index param_size() {
  return eigan::Model<eigan::Sequential<Gain>>(eigan::Rng(1)).param_size();
}
