// The third layer takes 128 features, but the second gives 256.
// EXPECT: LayerInputMustMatchPreviousOutput<2, eigan::Linear<128, 784>, 128, 256>
// EXPECT: this layer's input size differs from the previous layer's output size
// EXPECT(GNU): \(128 == 256\)
// EXPECT(Clang): '128L == 256L'
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/sequential.hpp>

#ifdef EIGAN_REJECT
constexpr eigan::Index hidden = 128;
#else
constexpr eigan::Index hidden = 256;
#endif
using Net = eigan::Sequential<eigan::Linear<100, 256>, eigan::LeakyReLU, eigan::Linear<hidden, 784>, eigan::Tanh>;

eigan::Index output_size() {
  return Net().output_size();
}
