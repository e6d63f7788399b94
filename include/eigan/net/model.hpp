// Model: a network and its parameters, in one flat buffer.
//
// Everything that changes during a pass is the caller's Tape or Scratch, so a model is const in forward, backward
// and infer, and any number of threads can share it. A pass runs over tiles of samples, the weight gradients over
// blocks of parameters; neither depends on the number of threads, so the results do not either, to the last bit.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigan/core/buffer.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/net/scratch.hpp>
#include <eigan/net/tape.hpp>

namespace eigan {

/// A `Net`, which is a Sequential or a Network, and its parameters in one buffer of T.
template <class Net, class T = float>
class Model {
 public:
  using Scalar = T;     ///< of parameters and samples
  using Network = Net;  ///< the Sequential, or the run-time Network

  /// A network with freshly initialised parameters.
  Model(Net net, Rng rng) : net_(std::move(net)), params_(net_.param_size()) {
    net_.template init<T>(params(), rng);
    plan();
  }
  /// A network whose type states all sizes.
  explicit Model(Rng rng) requires std::is_default_constructible_v<Net> : Model(Net{}, rng) {}

  /// A network with the parameters given.
  Model(Net net, Buffer<T> params) : net_(std::move(net)), params_(std::move(params)) {
    if (params_.size() != net_.param_size())
      detail::fail_contract("eigan::Model: the network has ", net_.param_size(), " parameters, given are ",
                            params_.size());
    plan();
  }

  /// The layers, without parameters.
  const Net& net() const { return net_; }
  /// All parameters, layer after layer.
  std::span<T> params() { return params_; }
  std::span<const T> params() const { return params_; }
  /// Layer I's own parameters, e.g. for `net().layer<0>().weight(params<0>())`.
  template <std::size_t I>
  std::span<T> params() {
    return params(I);
  }
  std::span<T> params(std::size_t layer) { return net_.slice(layer, params()); }
  /// The tensors in that buffer: names, places, shapes.
  std::vector<Parameter> parameters() const { return net_.parameters(); }
  /// One line, equal for models that can exchange parameters.
  std::string architecture() const { return net_.architecture(); }

  /// A tape for batches of up to `capacity` samples.
  Tape<Net, T> tape(Index capacity) const { return {net_, capacity}; }
  /// Working memory for infer, one per thread.
  Scratch<Net, T> scratch() const { return Scratch<Net, T>(net_, tile_); }
  /// A buffer of the parameters' length: a gradient, a moment, an average.
  Buffer<T> zeros() const { return Buffer<T>(net_.param_size()); }

  /// A forward pass for training: remembers on the tape what backward needs. x: input_size x batch, not copied.
  /// Layers that draw random numbers draw them from `rng`, so every pass wants its own: `rng.fold_in(step)`.
  ConstView<T> forward(Tape<Net, T>& tape, ConstView<T> x, Rng rng, Threads threads = {}) const {
    check_tape(tape);
    check_features(x);
    if (x.cols() < 1 || x.cols() > tape.capacity())
      detail::fail_contract("eigan::Model::forward: this tape holds 1 to ", tape.capacity(), " samples, the input has ",
                            x.cols());
    tape.begin(x, rng);
    sweep(tape, threads);
    return tape.output();
  }
  /// The same for a network without randomness.
  ConstView<T> forward(Tape<Net, T>& tape, ConstView<T> x, Threads threads = {}) const {
    if constexpr (requires { typename std::bool_constant<Net::stochastic>; })
      static_assert(
          !Net::stochastic,
          "eigan::Model::forward: this network has a layer that draws random numbers in training; pass an Rng");
    else if (net_.stochastic())
      detail::fail_contract(
          "eigan::Model::forward: this network has a layer that draws random numbers in training; pass an Rng");
    return forward(tape, x, Rng(0), threads);
  }
  /// A temporary would be gone before backward reads it.
  template <std::same_as<Matrix<T>> M>
  ConstView<T> forward(Tape<Net, T>& tape, M&& x, Rng rng, Threads threads = {}) const = delete;
  template <std::same_as<Matrix<T>> M>
  ConstView<T> forward(Tape<Net, T>& tape, M&& x, Threads threads = {}) const = delete;

  /// The gradient with respect to the input alone; the caller has written tape.output_gradient(). Assigns dx.
  void backward_input(Tape<Net, T>& tape, View<T> dx, Threads threads = {}) const {
    check_pass(tape);
    if (dx.rows() != net_.input_size() || dx.cols() != tape.batch())
      detail::fail_contract("eigan::Model::backward_input: dx must be ", net_.input_size(), " x ", tape.batch(),
                            ", is ", dx.rows(), " x ", dx.cols());
    propagate(tape, 0, &dx, threads);
  }

  /// What follows each finished piece of the gradient, [first, first + count): nothing, unless an optimiser wants to
  /// use it while it is in cache.
  struct Nothing {
    void operator()(Index /*first*/, Index /*count*/) const {}  ///< does nothing
  };

  /// Adds the gradient with respect to the parameters to `grad`; the gradient with respect to the input is not
  /// computed. `after_block(first, count)` is called after each piece, on any thread; it may change those parameters.
  template <class AfterBlock = Nothing>
  void backward_params(Tape<Net, T>& tape, std::span<T> grad, Threads threads = {},
                       const AfterBlock& after_block = {}) const {
    check_backward(tape, grad);
    propagate(tape, first_parametric() + 1, nullptr, threads);
    accumulate(tape, grad, threads, after_block);
  }

  /// Throws std::invalid_argument if backward_params would refuse this tape or this gradient.
  void check_backward(const Tape<Net, T>& tape, std::span<const T> grad) const {
    check_pass(tape);
    check_size(grad);
  }

  /// Both: assigns dx and adds to grad.
  void backward(Tape<Net, T>& tape, std::span<T> grad, View<T> dx, Threads threads = {}) const {
    check_size(grad);
    backward_input(tape, dx, threads);
    accumulate(tape, grad, threads, Nothing{});
  }

  /// Inference on one thread: y = net(x), dropout off. x: input_size x n, y: output_size x n, any n.
  void infer(ConstView<T> x, View<T> y, Scratch<Net, T>& scratch) const {
    check_features(x);
    if (!scratch.fits(net_, tile_))
      detail::fail_contract("eigan::Model::infer: this scratch was made for a network of other sizes");
    if (y.rows() != net_.output_size() || y.cols() != x.cols())
      detail::fail_contract("eigan::Model::infer: y must be ", net_.output_size(), " x ", x.cols(), ", is ", y.rows(),
                            " x ", y.cols());
    for (Index first = 0; first < x.cols(); first += tile_)
      infer_tile(x, y, scratch, first, std::min(tile_, x.cols() - first));
  }

  /// Inference into a new matrix, on several threads for large batches.
  Matrix<T> infer(ConstView<T> x, Threads threads = {}) const {
    check_features(x);
    Matrix<T> y(net_.output_size(), x.cols());
    const int parts = detail::usable_threads(threads, 2.0 * work(x.cols()));
    std::vector<Scratch<Net, T>> scratches;
    scratches.reserve(static_cast<std::size_t>(parts));
    for (int i = 0; i < parts; ++i) scratches.push_back(scratch());
    const Index tile = tile_width(x.cols(), parts), n = tiles(x.cols(), tile);
    detail::parallel(parts, [&](int part, int of) {
      for (Index i = detail::part_begin(n, part, of); i < detail::part_begin(n, part + 1, of); ++i)
        infer_tile(x, View<T>(y), scratches[static_cast<std::size_t>(part)], i * tile,
                   std::min(tile, x.cols() - i * tile));
    });
    return y;
  }

 private:
  struct Block {
    std::size_t layer;
    Index index;
    Index first, last;
  };

  void plan() {
    net_.for_each_layer([&](auto i) {
      // Weights larger than a second-level cache are read anew for each tile, so that larger tiles serve them better.
      if ((net_.offset(i + 1) - net_.offset(i)) * static_cast<Index>(sizeof(T)) > 1 << 20) tile_ = 128;
      const auto& layer = net_.layer(i);
      using L = std::remove_cvref_t<decltype(layer)>;
      if constexpr (BlockedLayer<L, T>) {
        for (Index b = 0; b < layer.block_count(); ++b) {
          const auto [first, last] = layer.block_range(b);
          blocks_.push_back({i, b, net_.offset(i) + first, net_.offset(i) + last});
        }
      } else if constexpr (ParametricLayer<L, T>) {
        blocks_.push_back({i, 0, net_.offset(i), net_.offset(i) + detail::trained_size_of(layer)});
      }
    });
  }

  /// How wide to cut the tiles of a batch for so many threads: narrower than could be where threads would be left
  /// without one. A sample's result does not depend on the tile that it is in.
  Index tile_width(Index batch, Index parts) const {
    const Index share = std::max<Index>((batch + parts - 1) / parts, 1);
    return std::min(tile_, (share + least_tile - 1) / least_tile * least_tile);
  }
  static Index tiles(Index batch, Index tile) { return (batch + tile - 1) / tile; }
  double work(Index batch) const { return static_cast<double>(net_.param_size()) * static_cast<double>(batch); }

  /// f(first, count) for each tile of a batch, on several threads where that pays.
  template <class F>
  void for_each_tile(Index batch, Threads threads, const F& f) const {
    const Index tile = tile_width(batch, detail::usable_threads(threads, 2.0 * work(batch)));
    detail::parallel_for(tiles(batch, tile), 2.0 * work(batch), threads,
                         [&](Index i) { f(i * tile, std::min(tile, batch - i * tile)); });
  }

  template <class I>
  detail::LayerTraits traits(I layer) const {
    return detail::traits_of<T>(net_.layer(layer));
  }
  /// Where the tiles that start at layer `first` end on their way up: at the next layer that wants to see the whole
  /// batch, or at the output.
  std::size_t sweep_end(std::size_t first) const {
    std::size_t end = net_.depth();
    net_.for_each_layer_reversed([&](auto i) {
      if (i >= first && traits(i).coupled) end = i;
    });
    return end;
  }
  /// Where the tiles that end before layer `end` start: after the last coupled layer below it, or at the input.
  std::size_t sweep_start(std::size_t end) const {
    std::size_t start = 0;
    net_.for_each_layer([&](auto i) {
      if (i < end && traits(i).coupled) start = i + 1;
    });
    return start;
  }
  std::size_t first_parametric() const {
    std::size_t first = net_.depth();
    net_.for_each_layer_reversed([&](auto i) {
      if (traits(i).parametric) first = i;
    });
    return first;
  }

  void check_features(const ConstView<T>& x) const {
    if (x.rows() != net_.input_size())
      detail::fail_contract("eigan::Model: a sample of the input must have ", net_.input_size(), " features, has ",
                            x.rows());
  }
  void check_tape(const Tape<Net, T>& tape) const {
    if (!tape.fits(net_)) detail::fail_contract("eigan::Model: this tape was made for a network of other sizes");
  }
  void check_size(std::span<const T> grad) const {
    if (std::ssize(grad) != net_.param_size())
      detail::fail_contract("eigan::Model: the gradient must have ", net_.param_size(), " elements, has ", grad.size());
  }
  void check_pass(const Tape<Net, T>& tape) const {
    check_tape(tape);
    if (tape.batch() == 0) detail::fail_contract("eigan::Model: backward without a forward pass on this tape");
  }

  /// f(part) for the parts of a coupled layer.
  template <class F>
  void for_each_part(Index parts, Index batch, std::size_t layer, Threads threads, const F& f) const {
    constexpr double passes = 8;  // of a few operations over the layer's values
    detail::parallel_for(parts, passes * static_cast<double>(net_.features(layer)) * static_cast<double>(batch),
                         threads, f);
  }

  /// The forward pass: tiles go through as many layers as they can, then the coupled layer that stopped them sees the
  /// whole batch, and so on.
  void sweep(Tape<Net, T>& tape, Threads threads) const {
    for (std::size_t start = 0; start < net_.depth();) {
      const std::size_t end = sweep_end(start);
      if (start < end)
        for_each_tile(tape.batch(), threads, [&](Index first, Index count) {
          net_.for_each_layer([&](auto i) {
            if (i >= start && i < end) forward_tile(i, tape, first, count);
          });
        });
      if (end < net_.depth()) net_.visit_layer(end, [&](auto i) { forward_coupled(i, tape, threads); });
      start = end + 1;
    }
  }

  template <class I>
  void forward_tile(I i, Tape<Net, T>& tape, Index first, Index count) const {
    const auto& layer = net_.layer(i);
    const auto p = net_.slice(i, params());
    const ConstView<T> x = tape.activation(i).columns(first, count);
    const View<T> y = tape.writable_activation(i + 1).columns(first, count);
    if constexpr (StochasticLayer<std::remove_cvref_t<decltype(layer)>, T>)
      layer.forward_train(p, x, y, Draw{tape.rng().fold_in(i), first});
    else
      layer.forward(p, x, y);
  }

  template <class I>
  void forward_coupled(I i, Tape<Net, T>& tape, Threads threads) const {
    const auto& layer = net_.layer(i);
    if constexpr (BatchCoupledLayer<std::remove_cvref_t<decltype(layer)>, T>)
      for_each_part(layer.part_count(), tape.batch(), i, threads, [&](Index part) {
        layer.forward_part(net_.slice(i, params()), tape.activation(i), tape.writable_activation(i + 1), part);
      });
  }

  /// Carries the gradient from the output down to level `level`, which is dx where that is 0.
  void propagate(Tape<Net, T>& tape, std::size_t level, const View<T>* dx, Threads threads) const {
    const auto below = [&](std::size_t i) { return i == 0 ? *dx : tape.gradient(i); };
    for (std::size_t end = net_.depth(); end > level;) {
      const std::size_t start = std::max(sweep_start(end), level);
      if (start < end)
        for_each_tile(tape.batch(), threads, [&](Index first, Index count) {
          net_.for_each_layer_reversed([&](auto i) {
            if (i >= start && i < end) backward_tile(i, tape, below(i).columns(first, count), first, count);
          });
        });
      if (start == level) break;
      end = start - 1;
      net_.visit_layer(end, [&](auto i) { backward_coupled(i, tape, below(i), threads); });
    }
  }

  template <class I>
  void backward_tile(I i, Tape<Net, T>& tape, View<T> dx, Index first, Index count) const {
    const auto& layer = net_.layer(i);
    const auto p = net_.slice(i, params());
    const ConstView<T> x = tape.activation(i).columns(first, count);
    const ConstView<T> y = tape.activation(i + 1).columns(first, count);
    const ConstView<T> dy = tape.gradient(i + 1).columns(first, count);
    if constexpr (StochasticLayer<std::remove_cvref_t<decltype(layer)>, T>)
      layer.backward_input_train(p, x, y, dy, dx, Draw{tape.rng().fold_in(i), first});
    else
      layer.backward_input(p, x, y, dy, dx);
  }

  template <class I>
  void backward_coupled(I i, Tape<Net, T>& tape, View<T> dx, Threads threads) const {
    const auto& layer = net_.layer(i);
    if constexpr (BatchCoupledLayer<std::remove_cvref_t<decltype(layer)>, T>)
      for_each_part(layer.part_count(), tape.batch(), i, threads, [&](Index part) {
        layer.backward_input_part(net_.slice(i, params()), tape.activation(i), tape.activation(i + 1),
                                  ConstView<T>(tape.gradient(i + 1)), dx, part);
      });
  }

  /// Adds the parameters' gradients, each over the whole batch. A thread's share is the blocks of a contiguous part of
  /// the parameter buffer; blocks of one layer are computed together, a run of them, because their products read the
  /// same activations, but no more at a time than a core's cache holds of the gradient until the optimiser reads it.
  template <class AfterBlock>
  void accumulate(Tape<Net, T>& tape, std::span<T> grad, Threads threads, const AfterBlock& after_block) const {
    const int parts = detail::usable_threads(threads, 2.0 * work(tape.batch()));
    detail::parallel(parts, [&](int part, int of) {
      const Index begin = detail::part_begin(net_.param_size(), part, of);
      const Index end = detail::part_begin(net_.param_size(), part + 1, of);
      const auto is_mine = [&](const Block& block) {
        const Index middle = (block.first + block.last) / 2;
        return middle >= begin && middle < end;
      };
      for (auto block = blocks_.begin(); block != blocks_.end();) {
        auto next = block + 1;
        if (is_mine(*block)) {
          while (next != blocks_.end() && next->layer == block->layer && is_mine(*next) &&
                 next->last - block->first <= most_in_a_run)
            ++next;
          net_.visit_layer(block->layer,
                           [&](auto i) { accumulate_blocks(i, tape, grad, block->index, (next - 1)->index + 1); });
          after_block(block->first, (next - 1)->last - block->first);
        }
        block = next;
      }
    });
  }

  template <class I>
  void accumulate_blocks(I i, Tape<Net, T>& tape, std::span<T> grad, [[maybe_unused]] Index first,
                         [[maybe_unused]] Index last) const {
    const auto& layer = net_.layer(i);
    using L = std::remove_cvref_t<decltype(layer)>;
    const auto p = net_.slice(i, params());
    const auto dp = net_.slice(i, grad);
    const ConstView<T> x = tape.activation(i), y = tape.activation(i + 1), dy = tape.gradient(i + 1);
    if constexpr (BlockedLayer<L, T>)
      layer.backward_params_blocks(p, x, y, dy, dp, first, last);
    else if constexpr (ParametricLayer<L, T>)
      layer.backward_params(p, x, y, dy, dp);
  }

  void infer_tile(const ConstView<T>& x, View<T> y, Scratch<Net, T>& scratch, Index first, Index count) const {
    ConstView<T> in = x.columns(first, count);
    net_.for_each_layer([&](auto i) {
      const View<T> out =
          i + 1 == net_.depth() ? y.columns(first, count) : scratch.level(i % 2, net_.features(i + 1), count);
      net_.layer(i).forward(net_.slice(i, params()), in, out);
      in.rebind(out);
    });
  }

  Net net_;
  Buffer<T> params_;
  std::vector<Block> blocks_;
  static constexpr Index most_in_a_run = 131072;  // parameters
  static constexpr Index least_tile = 32;
  /// Samples that travel through all layers together while they are in cache, at most.
  Index tile_ = least_tile;
};

}  // namespace eigan
