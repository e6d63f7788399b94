// EXPECT: MustBeALayer<Own, 0>
// EXPECT: this layer has prepared_size\(\), but no prepare
#include <span>
#include <vector>

#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

// y = x, and where EIGAN_REJECT is defined room for what nobody prepares.
struct Own {
  static constexpr eigan::Index input = 3, output = 3;
  using P = std::span<const float>;
  using C = eigan::ConstView<float>;
  using V = eigan::View<float>;
  void forward(P, C x, V y) const { y = x; }
  void backward_input(P, C, C, C dy, V dx) const { dx = dy; }
#ifdef EIGAN_REJECT
  eigan::Index prepared_size() const {
    return 1;
  }
  void forward(eigan::Prepared<float>, C x, V y) const {
    y = x;
  }
  void backward_input(eigan::Prepared<float>, C, C, C dy, V dx) const {
    dx = dy;
  }
#endif
};

eigan::Index output_size() {
  return eigan::Model<eigan::Sequential<Own>>(eigan::Rng(1)).output_size();
}
