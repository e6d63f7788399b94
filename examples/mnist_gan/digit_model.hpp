// DigitModel: a generator whose network is known at compile time, which is how it trains; see digit_generator.hpp.
#pragma once

#include <memory>
#include <utility>

#include <eigan/gan/networks.hpp>
#include <eigan/io/model_file.hpp>
#include <eigan/net/model.hpp>

#include "digit_generator.hpp"
#include "recipe.hpp"

namespace mnist_gan {

using eigan::dynamic;
using PlainNet = eigan::Generator<dynamic, dynamic, dynamic, dynamic, dynamic>;
using NormalizedNet = eigan::NormalizedGenerator<dynamic, dynamic, dynamic, dynamic, dynamic>;
using DiscriminatorNet = eigan::Discriminator<dynamic, dynamic, dynamic, dynamic, dynamic>;

template <class Net>
class DigitModel final : public DigitGenerator {
 public:
  DigitModel(Net net, const Drawing& drawing, eigan::Rng rng) : DigitGenerator(drawing), model(std::move(net), rng) {}

  eigan::Matrix<float> images(eigan::ConstView<float> input, eigan::Threads threads) const override {
    return model.infer(input, threads);
  }
  Index param_size() const override { return model.net().param_size(); }
  std::unique_ptr<DigitGenerator> untrained() const override {
    return std::make_unique<DigitModel>(model.net(), drawing(), eigan::Rng(0));
  }
  void save(const std::filesystem::path& path, const Metadata& metadata) const override {
    eigan::save(path, model, metadata);
  }

  eigan::Model<Net> model;
};

}  // namespace mnist_gan
