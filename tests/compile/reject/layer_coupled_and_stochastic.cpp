// EXPECT: MustBeALayer<NoisyMean, 0>
// EXPECT: this layer is both coupled and stochastic
#include <span>

#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

// y = x - mean over the batch, with noise in training where EIGAN_REJECT is defined.
struct NoisyMean {
  static constexpr eigan::Index input = 3, output = 3;
  static constexpr bool coupled = true;
  using P = std::span<const float>;
  using C = eigan::ConstView<float>;
  using V = eigan::View<float>;
  void forward(P, C x, V y) const { y = x; }
  void backward_input(P, C, C, C dy, V dx) const { dx = dy; }
  eigan::Index part_count() const { return 1; }
  void forward_parts(P, C x, V y, eigan::Index, eigan::Index) const { y = x.colwise() - x.rowwise().mean(); }
  void backward_input_parts(P, C, C, C dy, V dx, eigan::Index, eigan::Index) const {
    dx = dy.colwise() - dy.rowwise().mean();
  }
#ifdef EIGAN_REJECT
  void forward_train(P p, C x, V y, eigan::Draw) const {
    forward(p, x, y);
  }
  void backward_input_train(P p, C x, C y, C dy, V dx, eigan::Draw) const {
    backward_input(p, x, y, dy, dx);
  }
#endif
};

eigan::Index output_size() {
  return eigan::Model<eigan::Sequential<NoisyMean>>(eigan::Rng(1)).output_size();
}
