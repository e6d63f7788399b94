// EXPECT: MustBeALayer<Own, 0>
// EXPECT: this layer has state_size\(\), but lacks states, init_state or prepare
#include <span>
#include <vector>

#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

// y = x, and where EIGAN_REJECT is defined a state that nothing reads.
struct Own {
  static constexpr eigan::Index input = 3, output = 3;
  using P = std::span<const float>;
  using C = eigan::ConstView<float>;
  using V = eigan::View<float>;
  void forward(P, C x, V y) const { y = x; }
  void backward_input(P, C, C, C dy, V dx) const { dx = dy; }
#ifdef EIGAN_REJECT
  eigan::Index state_size() const {
    return 1;
  }
  std::vector<eigan::Parameter> states() const {
    return {{"seen", 0, 1, 1, 1}};
  }
  void init_state(std::span<float> s) const {
    s[0] = 0;
  }
#endif
};

eigan::Index output_size() {
  return eigan::Model<eigan::Sequential<Own>>(eigan::Rng(1)).output_size();
}
