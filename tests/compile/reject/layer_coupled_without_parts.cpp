// EXPECT: MustBeALayer<Own, 0>
// EXPECT: this layer is coupled, but has no parts
#include <span>
#include <vector>

#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

// y = x, and coupled without parts where EIGAN_REJECT is defined.
struct Own {
  static constexpr eigan::Index input = 3, output = 3;
  using P = std::span<const float>;
  using C = eigan::ConstView<float>;
  using V = eigan::View<float>;
  void forward(P, C x, V y) const { y = x; }
  void backward_input(P, C, C, C dy, V dx) const { dx = dy; }
#ifdef EIGAN_REJECT
  static constexpr bool coupled = true;
#endif
};

eigan::Index output_size() {
  return eigan::Model<eigan::Sequential<Own>>(eigan::Rng(1)).output_size();
}
