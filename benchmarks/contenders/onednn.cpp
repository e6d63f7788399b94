// oneDNN: one training step of a classifier from its primitives: inner products with the activation fused into the
// forward pass, weights in whatever layout the library likes best for forward, reordered where backward wants another;
// pixels, loss and Adam are plain loops. It knows no GAN workloads.
#include <oneapi/dnnl/dnnl.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../paired/serve.hpp"
#include "noise.hpp"
#include "options.hpp"

namespace {

using dnnl::memory;
using Arguments = std::unordered_map<int, memory>;

float* floats(const memory& m) {
  return static_cast<float*>(m.get_data_handle());
}
std::size_t length(const memory& m) {
  return m.get_desc().get_size() / sizeof(float);
}

/// A tensor to train: value, gradient and moments, all in the same layout.
class Trained {
 public:
  Trained() = default;
  Trained(const memory::desc& layout, const dnnl::engine& engine, float range)
      : value(layout, engine), gradient(layout, engine), moment1_(length(value)), moment2_(length(value)) {
    std::mt19937 random(1);
    std::uniform_real_distribution<float> uniform(-range, range);
    std::generate_n(floats(value), length(value), [&] { return uniform(random); });
    std::fill_n(floats(gradient), length(gradient), 0.0f);
  }

  void adam(long t) {
    const float beta1 = 0.9f, beta2 = 0.999f, eps = 1e-8f;
    const float step = 0.001f / (1 - std::pow(beta1, static_cast<float>(t)));
    const float scale = 1 / std::sqrt(1 - std::pow(beta2, static_cast<float>(t)));
    float* p = floats(value);
    const float* g = floats(gradient);
    float *m = moment1_.data(), *v = moment2_.data();
    const auto n = static_cast<std::ptrdiff_t>(moment1_.size());
#pragma omp parallel for simd schedule(static) if (n > 50000)
    for (std::ptrdiff_t i = 0; i < n; ++i) {
      m[i] = beta1 * m[i] + (1 - beta1) * g[i];
      v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
      p[i] -= step * m[i] / (std::sqrt(v[i]) * scale + eps);
    }
  }

  memory value, gradient;

 private:
  std::vector<float> moment1_, moment2_;
};

class Net {
 public:
  Net(const std::vector<int>& sizes, int batch, float slope) : slope_(slope) {
    activations_.push_back(allocate(matrix(batch, sizes.front())));
    gradients_.emplace_back();
    for (std::size_t i = 1; i < sizes.size(); ++i) add(batch, sizes[i - 1], sizes[i], i + 1 == sizes.size());
  }

  float* input() { return floats(activations_.front()); }
  float* logits() { return floats(activations_.back()); }
  float* logits_gradient() { return floats(gradients_.back()); }

  void forward() { run(forward_); }
  void backward_and_step() {
    for (std::size_t i = backward_.size(); i-- > 0;) run(backward_[i]);
    ++t_;
    for (Trained& tensor : trained_) tensor.adam(t_);
  }

 private:
  using Task = std::pair<dnnl::primitive, Arguments>;

  static memory::desc matrix(int rows, int cols) {
    return {{rows, cols}, memory::data_type::f32, memory::format_tag::ab};
  }
  memory allocate(const memory::desc& layout) const { return {layout, engine_}; }

  void add(int batch, int in, int out, bool last) {
    const memory::desc x = matrix(batch, in), y = matrix(batch, out);
    const memory::desc any({out, in}, memory::data_type::f32, memory::format_tag::any);
    const memory::desc bias({out}, memory::data_type::f32, memory::format_tag::a);

    dnnl::primitive_attr attributes;
    if (!last) {
      dnnl::post_ops activation;
      activation.append_eltwise(1, dnnl::algorithm::eltwise_relu, slope_, 0);
      attributes.set_post_ops(activation);
    }
    const dnnl::inner_product_forward::primitive_desc forward({dnnl::prop_kind::forward_training, x, any, bias, y},
                                                              attributes, engine_);
    const float range = 1 / std::sqrt(static_cast<float>(in));
    const Trained weights(forward.weights_desc(), engine_, range), biases(bias, engine_, range);
    activations_.push_back(allocate(y));
    gradients_.push_back(allocate(y));
    const memory &input = activations_[activations_.size() - 2], &output = activations_.back();
    const memory &dx = gradients_[gradients_.size() - 2], &dy = gradients_.back();

    forward_.emplace_back(dnnl::inner_product_forward(forward), Arguments{{DNNL_ARG_SRC, input},
                                                                          {DNNL_ARG_WEIGHTS, weights.value},
                                                                          {DNNL_ARG_BIAS, biases.value},
                                                                          {DNNL_ARG_DST, output}});
    std::vector<Task> back;
    if (!last) {
      const auto relu = dnnl::algorithm::eltwise_relu_use_dst_for_bwd;
      const dnnl::eltwise_forward::primitive_desc hint({dnnl::prop_kind::forward_training, relu, y, slope_}, engine_);
      const dnnl::eltwise_backward::primitive_desc activation({relu, y, y, slope_}, engine_, hint);
      back.emplace_back(dnnl::eltwise_backward(activation),
                        Arguments{{DNNL_ARG_DST, output}, {DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_DIFF_SRC, dy}});
    }
    if (forward_.size() > 1) {
      const dnnl::inner_product_backward_data::primitive_desc data({x, any, y}, engine_, forward);
      memory laid_out = weights.value;
      if (data.weights_desc() != forward.weights_desc()) {
        laid_out = allocate(data.weights_desc());
        back.emplace_back(dnnl::reorder(weights.value, laid_out),
                          Arguments{{DNNL_ARG_FROM, weights.value}, {DNNL_ARG_TO, laid_out}});
      }
      back.emplace_back(dnnl::inner_product_backward_data(data),
                        Arguments{{DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_WEIGHTS, laid_out}, {DNNL_ARG_DIFF_SRC, dx}});
    }
    const dnnl::inner_product_backward_weights::primitive_desc params({x, any, bias, y}, engine_, forward);
    memory gradient = weights.gradient;
    const bool reordered = params.diff_weights_desc() != forward.weights_desc();
    if (reordered) gradient = allocate(params.diff_weights_desc());
    back.emplace_back(dnnl::inner_product_backward_weights(params), Arguments{{DNNL_ARG_SRC, input},
                                                                              {DNNL_ARG_DIFF_DST, dy},
                                                                              {DNNL_ARG_DIFF_WEIGHTS, gradient},
                                                                              {DNNL_ARG_DIFF_BIAS, biases.gradient}});
    if (reordered)
      back.emplace_back(dnnl::reorder(gradient, weights.gradient),
                        Arguments{{DNNL_ARG_FROM, gradient}, {DNNL_ARG_TO, weights.gradient}});
    backward_.push_back(std::move(back));
    trained_.push_back(weights);
    trained_.push_back(biases);
  }

  void run(const std::vector<Task>& tasks) {
    for (const auto& [primitive, arguments] : tasks) primitive.execute(stream_, arguments);
    stream_.wait();
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  float slope_;
  std::vector<memory> activations_, gradients_;
  std::vector<Task> forward_;
  std::vector<std::vector<Task>> backward_;  ///< by layer, to be run from the last
  std::vector<Trained> trained_;
  long t_ = 0;
};

/// Gradient of the mean binary cross entropy; targets are 1 for the first half of the batch and 0 for the other.
void bce_gradient(const float* logits, float* gradient, int batch) {
  for (int j = 0; j < batch; ++j) {
    const float target = j < batch / 2 ? 1.0f : 0.0f;
    gradient[j] = (1 / (1 + std::exp(-logits[j])) - target) / static_cast<float>(batch);
  }
}

/// Gradient of the mean cross entropy of `classes` classes.
void cross_entropy_gradient(const float* logits, const std::vector<int>& labels, float* gradient, int classes) {
  const auto scale = 1 / static_cast<float>(labels.size());
  for (const int label : labels) {
    const float largest = *std::max_element(logits, logits + classes);
    float total = 0;
    for (int i = 0; i < classes; ++i) total += gradient[i] = std::exp(logits[i] - largest);
    for (int i = 0; i < classes; ++i) gradient[i] *= scale / total;
    gradient[label] -= scale;
    logits += classes;
    gradient += classes;
  }
}

}  // namespace

int main(int argc, char** argv) {
  return bench::contender_main(argc, argv, [](const bench::ContenderOptions& options) {
    if (options.workload.is_gan()) throw std::invalid_argument("knows no GAN workloads");
    const int batch = options.workload.batch, classes = options.workload.network.back();
    const std::vector<std::uint8_t> pixels = bench::noise_pixels();
    std::vector<std::size_t> order(bench::noise_count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), std::mt19937(2));
    std::vector<int> labels(static_cast<std::size_t>(batch));
    std::size_t next = 0;
    Net net(options.workload.network, batch, classes > 1 ? 0.0f : 0.2f);
    const dnnl_version_t* version = dnnl_version();
    const std::string number = std::to_string(version->major) + '.' + std::to_string(version->minor);

    return bench::serve(R"({"name": "oneDNN )" + number + R"(, whole step"})", [&] {
      if (next + labels.size() > order.size()) next = 0;
      for (std::size_t j = 0; j < labels.size(); ++j) {
        const std::size_t image = order[next++];
        const std::uint8_t* from = pixels.data() + image * bench::noise_features;
        float* to = net.input() + j * bench::noise_features;
        for (int i = 0; i < bench::noise_features; ++i) to[i] = static_cast<float>(from[i]) / 127.5f - 1;
        labels[j] = bench::noise_label(image);
      }
      net.forward();
      if (classes > 1)
        cross_entropy_gradient(net.logits(), labels, net.logits_gradient(), classes);
      else
        bce_gradient(net.logits(), net.logits_gradient(), batch);
      net.backward_and_step();
    });
  });
}
