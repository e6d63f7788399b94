// A trained network: 3 features in, 2 out. Written by eigan 0.1.0.
//     const eigan::Matrix<float> y = revision_6189ee1::plain::model().infer(x);
#pragma once

#include <bit>
#include <cstdint>
#include <utility>

#include <eigan/eigan.hpp>

namespace revision_6189ee1::plain {

inline auto make_network() {
  return ::eigan::Sequential(::eigan::Linear<3, 4>(3, 4),
                             ::eigan::LeakyReLU(0.2),
                             ::eigan::Dropout(0.25),
                             ::eigan::Linear<>(4, 2),
                             ::eigan::Tanh());
}
using Network = decltype(make_network());
using Model = ::eigan::Model<Network, float>;

/// The parameters, in the order of Model::params().
inline constexpr std::uint32_t parameter_bits[] = {
    0xbe1a45a6, 0xbd6b5813, 0x3eac3e56, 0x3e594d40, 0x3dea219f, 0xbe63fbf8, 0x3cd22878, 0xbea3856f, 0x3ddcce9a, 0x3e94ea41,
    0x3f1e084e, 0xbeb068e3, 0xbe79094f, 0xbeb6c02c, 0x3e9d4575, 0x3f046ee5, 0xbcaabb26, 0x3e873887, 0xbe22d18f, 0x3ce4c491,
    0x3e58612f, 0x3df0de8f, 0x3d9d5797, 0x3e1637d8, 0x3ed9b3f8, 0x3e6282c1,};

/// A model of your own.
inline Model make_model() {
  ::eigan::Buffer<float> parameters(26);
  for (::eigan::Index i = 0; i < parameters.size(); ++i) parameters[i] = ::std::bit_cast<float>(parameter_bits[i]);
  return Model(make_network(), ::std::move(parameters));
}

/// The model, for all threads.
inline const Model& model() {
  static const Model shared = make_model();
  return shared;
}

}  // namespace revision_6189ee1::plain
