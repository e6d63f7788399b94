// StepProducts: the matrix products of one training step and nothing else, as a list for any BLAS to work through.
//
// The memory is shared as the step shares it: one copy of each weight, gradient and activation; the generator writes
// into the right half of the discriminator's batch; matrices are column-major, samples are columns, and columns are
// padded apart as eigan pads them, so that wide layers do not collide in the caches.
#pragma once

#include <random>
#include <stdexcept>
#include <vector>

#include <eigan/core/buffer.hpp>

#include "../workloads.hpp"
#include "product.hpp"

namespace bench {

class StepProducts {
 public:
  /// Throws where the list and the formula in workloads.hpp do not agree on the work to do.
  explicit StepProducts(const Workload& w) {
    if (w.is_gan())
      list_gan_step(w);
    else
      train(make_net(w.network, w.batch), whole(w.batch));
    if (flop() != step_flop(w)) throw std::logic_error("the products are not those of the step");
  }

  const std::vector<Product>& products() const { return products_; }

  double flop() const {
    double sum = 0;
    for (const Product& p : products_) sum += p.flop();
    return sum;
  }

 private:
  struct Memory {
    float* data;
    int rows, stride;
  };
  struct Columns {
    int first, count;
  };
  struct Net {
    std::vector<Memory> weights, weight_gradients;  // out x in
    std::vector<Memory> activations, gradients;     // level 0 is the input
  };

  static Columns whole(int batch) { return {0, batch}; }

  Memory allocate(int rows, int cols, int stride) {
    memory_.emplace_back(eigan::Index{stride} * cols);
    // Small numbers of no pattern: sums neither grow nor become denormal.
    std::minstd_rand random;
    for (float& x : memory_.back()) x = 5e-8f * static_cast<float>(static_cast<int>(random() % 2000001) - 1000000);
    return {memory_.back().data(), rows, stride};
  }

  Net make_net(const std::vector<int>& sizes, int batch) {
    Net net;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const int stride = static_cast<int>(eigan::padded_stride<float>(sizes[i]));
      net.activations.push_back(allocate(sizes[i], batch, stride));
      net.gradients.push_back(allocate(sizes[i], batch, stride));
      if (i == 0) continue;
      net.weights.push_back(allocate(sizes[i], sizes[i - 1], sizes[i]));
      net.weight_gradients.push_back(allocate(sizes[i], sizes[i - 1], sizes[i]));
    }
    return net;
  }

  void forward(const Net& net, Columns c) {
    for (std::size_t i = 0; i < net.weights.size(); ++i) {
      const Memory &w = net.weights[i], &x = net.activations[i], &y = net.activations[i + 1];
      products_.push_back({false, false, y.rows, c.count, x.rows, w.data, w.stride, x.data + c.first * x.stride,
                           x.stride, y.data + c.first * y.stride, y.stride});
    }
  }

  /// Down to the input of layer `lowest`.
  void backward_input(const Net& net, Columns c, std::size_t lowest) {
    for (std::size_t i = net.weights.size(); i-- > lowest;) {
      const Memory &w = net.weights[i], &dx = net.gradients[i], &dy = net.gradients[i + 1];
      products_.push_back({true, false, dx.rows, c.count, dy.rows, w.data, w.stride, dy.data + c.first * dy.stride,
                           dy.stride, dx.data + c.first * dx.stride, dx.stride});
    }
  }

  void backward_params(const Net& net, Columns c) {
    for (std::size_t i = 0; i < net.weights.size(); ++i) {
      const Memory &dw = net.weight_gradients[i], &x = net.activations[i], &dy = net.gradients[i + 1];
      products_.push_back({false, true, dy.rows, x.rows, c.count, dy.data + c.first * dy.stride, dy.stride,
                           x.data + c.first * x.stride, x.stride, dw.data, dw.stride});
    }
  }

  void list_gan_step(const Workload& w) {
    const int batch = w.batch;
    Net d = make_net(w.network, 2 * batch);
    Net g = make_net(w.generator, batch);
    const Columns real_and_fake = whole(2 * batch), fake{batch, batch};
    g.activations.back() = d.activations.front();
    g.activations.back().data += batch * g.activations.back().stride;  // the right half
    // The discriminator's step.
    forward(g, whole(batch));
    train(d, real_and_fake);
    // The generator's step; the discriminator hands the gradient on to the generator's output.
    g.gradients.back() = d.gradients.front();
    g.gradients.back().data += batch * g.gradients.back().stride;
    forward(g, whole(batch));
    forward(d, fake);
    backward_input(d, fake, 0);
    backward_input(g, whole(batch), 1);
    backward_params(g, whole(batch));
  }

  void train(const Net& net, Columns c) {
    forward(net, c);
    backward_input(net, c, 1);
    backward_params(net, c);
  }

  std::vector<Product> products_;
  std::vector<eigan::Buffer<float>> memory_;
};

}  // namespace bench
