// EXPECT: MustBeALayer<Meter, 0>
// EXPECT: this layer has update_state, but no state, or does not take
#include <span>
#include <vector>

#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

// Counts steps; where EIGAN_REJECT is defined, update_state wants what is prepared, which it is not given.
struct Meter {
  static constexpr eigan::Index input = 3, output = 3;
  using P = eigan::Prepared<float>;
  using C = eigan::ConstView<float>;
  using V = eigan::View<float>;
  eigan::Index prepared_size() const { return 0; }
  void prepare(std::span<const float>, std::span<const float>, std::span<float>, eigan::Phase) const {}
  eigan::Index state_size() const { return 1; }
  std::vector<eigan::Parameter> states() const { return {{"seen", 0, 1, 1, 1}}; }
  void init_state(std::span<float> s) const { s[0] = 0; }
#ifdef EIGAN_REJECT
  void update_state(P, std::span<float> s) const {
    s[0] += 1;
  }
#else
  void update_state(std::span<const float>, std::span<float> s) const {
    s[0] += 1;
  }
#endif
  void forward(P, C x, V y) const {
    y = x;
  }
  void backward_input(P, C, C, C dy, V dx) const {
    dx = dy;
  }
};

eigan::Index output_size() {
  return eigan::Model<eigan::Sequential<Meter>>(eigan::Rng(1)).output_size();
}
