// EXPECT: MustBeALayer<Own, 0>
// EXPECT: this layer has part_count\(\), but lacks forward_parts or backward_input_parts
#include <span>
#include <vector>

#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

// y = x, and where EIGAN_REJECT is defined parts on the way up alone.
struct Own {
  static constexpr eigan::Index input = 3, output = 3;
  using P = std::span<const float>;
  using C = eigan::ConstView<float>;
  using V = eigan::View<float>;
  void forward(P, C x, V y) const { y = x; }
  void backward_input(P, C, C, C dy, V dx) const { dx = dy; }
#ifdef EIGAN_REJECT
  eigan::Index part_count() const {
    return 1;
  }
  void forward_parts(P p, C x, V y, eigan::Index, eigan::Index) const {
    forward(p, x, y);
  }
#endif
};

eigan::Index output_size() {
  return eigan::Model<eigan::Sequential<Own>>(eigan::Rng(1)).output_size();
}
