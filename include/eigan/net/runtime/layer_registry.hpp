// LayerRegistry: which layer a name stands for, when a network is made from text. It knows the library's layers; a
// layer of your own is added with a function that makes it:
//   LayerRegistry layers;
//   layers.add("Swish", [](const LayerText& text) { return Swish(text.number("beta")); });
// It is a value that is handed to the reader, no global.
#pragma once

#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <eigan/core/error.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/layers/avg_pool2d.hpp>
#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/conv2d.hpp>
#include <eigan/layers/conv_transpose2d.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/elu.hpp>
#include <eigan/layers/flatten.hpp>
#include <eigan/layers/gelu.hpp>
#include <eigan/layers/global_avg_pool2d.hpp>
#include <eigan/layers/instance_norm2d.hpp>
#include <eigan/layers/layer_norm.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/max_pool2d.hpp>
#include <eigan/layers/prelu.hpp>
#include <eigan/layers/reflection_pad2d.hpp>
#include <eigan/layers/relu.hpp>
#include <eigan/layers/sigmoid.hpp>
#include <eigan/layers/silu.hpp>
#include <eigan/layers/softplus.hpp>
#include <eigan/layers/spectral_norm.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/layers/unflatten.hpp>
#include <eigan/layers/upsample.hpp>
#include <eigan/net/input.hpp>
#include <eigan/net/runtime/any_layer.hpp>
#include <eigan/net/runtime/layer_text.hpp>

namespace eigan {

class LayerRegistry {
 public:
  /// What makes a layer of a name's settings.
  using Maker = std::function<AnyLayer(const LayerText&)>;

  /// Knows the library's layers.
  LayerRegistry() {
    add_vectors();
    add_activations();
    add_images();
    add_normalisations();
  }

  /// A later layer takes the place of an earlier one of the same name.
  LayerRegistry& add(std::string name, Maker maker) {
    makers_.insert_or_assign(std::move(name), std::move(maker));
    return *this;
  }

  /// The layer. Error if there is none of that name, if it lacks a setting or has one too many, or if a setting is not
  /// what the layer takes.
  AnyLayer make(const LayerText& text) const {
    const auto found = makers_.find(text.name());
    if (found == makers_.end()) {
      std::string names;
      for (const auto& [name, maker] : makers_) names += (names.empty() ? "" : ", ") + name;
      text.fail("expected one of ", names, ", found no layer of this name");
    }
    return detail::attempt<std::invalid_argument>(
        [&] {
          AnyLayer layer = found->second(text);
          text.check_all_taken();
          return layer;
        },
        [&](const std::invalid_argument& wrong) -> AnyLayer { text.fail(wrong.what()); });
  }

 private:
  using Text = const LayerText&;
  template <class L>
  void add_plain(const char* name) {
    add(name, [](Text) { return L(); });
  }
  /// Channels, height and width; where the text has neither of these two, a vector.
  static Shape shape(Text t) {
    if (t.has("height") != t.has("width")) t.fail("expected height and width together, found one of them");
    return {t.size("channels"), t.count("height", 1), t.count("width", 1)};
  }
  static Linear<> linear(Text t) { return Linear<>(t.size("in_features"), t.size("out_features")); }
  static Conv2d<> conv2d(Text t) {
    detail::refuse_dilation_and_groups("Conv2d", t.number("dilation", 1), t.number("groups", 1));
    return Conv2d<>(t.size("in_channels"), t.size("out_channels"), t.size("kernel_size"), t.count("stride", 1),
                    t.count("padding", 0), t.flag("bias", true));
  }
  static AnyLayer spectral_norm(Text t) {
    if (t.children().size() != 1) t.fail("expected one layer inside, found ", t.children().size());
    Text inside = t.children().front();
    const auto normalised = [&](auto layer) -> AnyLayer {
      inside.check_all_taken();
      return SpectralNorm(std::move(layer));
    };
    if (inside.name() == "Linear") return normalised(linear(inside));
    if (inside.name() == "Conv2d") return normalised(conv2d(inside));
    t.fail("takes a Linear or a Conv2d, found ", printable(inside.name(), 64));
  }

  void add_vectors() {
    add("Linear", linear);
    add("Dropout", [](Text t) { return Dropout(t.number("p", 0.5)); });
    add("Input", [](Text t) {
      const auto [c, h, w] = shape(t);
      return Input<>(c, h, w);
    });
    add_plain<Flatten>("Flatten");
    add("Unflatten", [](Text t) { return Unflatten<>(t.size("channels"), t.size("height"), t.size("width")); });
  }
  void add_activations() {
    add_plain<ReLU>("ReLU");
    add("LeakyReLU", [](Text t) { return LeakyReLU(t.number("negative_slope", 0.01)); });
    add("PReLU", [](Text t) { return PReLU(t.count("num_parameters", 1), t.number("init", 0.25)); });
    add("ELU", [](Text t) { return ELU(t.number("alpha", 1)); });
    add_plain<GELU>("GELU");
    add_plain<SiLU>("SiLU");
    add("Softplus", [](Text t) { return Softplus(t.number("beta", 1), t.number("threshold", 20)); });
    add_plain<Tanh>("Tanh");
    add_plain<Sigmoid>("Sigmoid");
  }
  void add_images() {
    add("Conv2d", conv2d);
    add("ConvTranspose2d", [](Text t) {
      detail::refuse_dilation_and_groups("ConvTranspose2d", t.number("dilation", 1), t.number("groups", 1));
      return ConvTranspose2d<>(t.size("in_channels"), t.size("out_channels"), t.size("kernel_size"),
                               t.count("stride", 1), t.count("padding", 0), t.count("output_padding", 0),
                               t.flag("bias", true));
    });
    add("MaxPool2d", [](Text t) {
      return MaxPool2d<>(t.size("kernel_size"), t.count("stride", t.size("kernel_size")), t.count("padding", 0));
    });
    add("AvgPool2d", [](Text t) {
      return AvgPool2d<>(t.size("kernel_size"), t.count("stride", t.size("kernel_size")), t.count("padding", 0));
    });
    add_plain<GlobalAvgPool2d>("GlobalAvgPool2d");
    add("Upsample", [](Text t) { return Upsample<>(t.size("scale_factor"), t.flag("bilinear", false)); });
    add("ReflectionPad2d", [](Text t) { return ReflectionPad2d<>(t.count("padding")); });
  }
  void add_normalisations() {
    add("BatchNorm1d", [](Text t) { return BatchNorm1d<>(t.size("num_features"), t.number("eps", 1e-5)); });
    add("BatchNorm2d", [](Text t) { return BatchNorm2d<>(t.size("num_features"), t.number("eps", 1e-5)); });
    add("InstanceNorm2d", [](Text t) {
      return InstanceNorm2d<>(t.size("num_features"), t.number("eps", 1e-5), t.flag("affine", false));
    });
    add("LayerNorm", [](Text t) {
      const auto [c, h, w] = shape(t);
      return LayerNorm<>(c, h, w, t.number("eps", 1e-5));
    });
    add("SpectralNorm", spectral_norm);
  }

  std::map<std::string, Maker, std::less<>> makers_;
};

}  // namespace eigan
