// EXPECT: MustBeALayer<Meter, 0>
// EXPECT: this layer has update_statistics or merge_statistics, but not all
#include <span>
#include <vector>

#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

// Keeps a statistic of its input; where EIGAN_REJECT is defined, it lacks merge_statistics.
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
  void update_statistics(std::span<float> s, C x, double) const {
    s[0] = x(0, 0);
  }
#else
  void update_statistics(std::span<float> s, C x, double) const {
    s[0] = x(0, 0);
  }
  void merge_statistics(std::span<float> s, C x, eigan::Index) const {
    s[0] = x(0, 0);
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
