// A trained network: 3 features in, 1 out. Written by eigan 0.1.0.
//     const eigan::Matrix<float> y = revision_6189ee1::normalised::model().infer(x);
#pragma once

#include <bit>
#include <cstdint>
#include <utility>

#include <eigan/eigan.hpp>

namespace revision_6189ee1::normalised {

inline auto make_network() {
  return ::eigan::Sequential(::eigan::Linear<3, 4>(3, 4),
                             ::eigan::BatchNorm1d<4>(4, 0.001),
                             ::eigan::ReLU(),
                             ::eigan::Linear<4, 1>(4, 1),
                             ::eigan::Sigmoid());
}
using Network = decltype(make_network());
using Model = ::eigan::Model<Network, float>;

/// The parameters, in the order of Model::params().
inline constexpr std::uint32_t parameter_bits[] = {
    0x3eb1517e, 0x3e4c0b11, 0xbf2ade59, 0x3efc2b09, 0x3dcf5e34, 0xbe4c1f26, 0xbdfb6b80, 0xbef292a2, 0x3e47214c, 0xbf3d7fdc,
    0x3cb02804, 0xbda53924, 0xbe817913, 0xbe451ea6, 0xbedc5ef9, 0x3ed0e959, 0x3f94a388, 0x3f85bd49, 0x3f870268, 0x3f5248d3,
    0x3e6b99e9, 0xbd5669f2, 0xbdb06683, 0x3c8a12d4, 0xbdb806ba, 0xbf1b5fba, 0xbf053968, 0x3e978d7d, 0x3f09f22f, 0x403004d6,
    0x3fc1b25d, 0x3ff33d95, 0x3ec8d8ac, 0xbe28aabf, 0xbe28280a, 0x3dd4ae05, 0xbe379f30,};

/// A model of your own.
inline Model make_model() {
  ::eigan::Buffer<float> parameters(37);
  for (::eigan::Index i = 0; i < parameters.size(); ++i) parameters[i] = ::std::bit_cast<float>(parameter_bits[i]);
  return Model(make_network(), ::std::move(parameters));
}

/// The model, for all threads.
inline const Model& model() {
  static const Model shared = make_model();
  return shared;
}

}  // namespace revision_6189ee1::normalised
