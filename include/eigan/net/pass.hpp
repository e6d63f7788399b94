// Pass: the forward pass over a network's steps, and the way back from the output's gradient to the levels' gradients.
//
// A pass is a row of stages. A stage is a run of steps through which tiles of samples travel independently; it ends
// where a layer wants to see the whole batch, which is a stage of parts. Where there are fewer tiles than threads, a
// stage is one step, cut into the layer's own parts. Who computes an item never changes its bits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <eigan/core/parallel.hpp>
#include <eigan/net/join.hpp>
#include <eigan/net/tape.hpp>
#include <eigan/net/tiling.hpp>

namespace eigan::detail {

template <class T>
class Pass {
 public:
  Pass(const Steps<T>& net, std::span<const T> params, std::span<const T> state, const Tiling& tiling, Tape<T>& tape,
       Threads threads)
      : net_(net),
        params_(params),
        state_(state),
        tiling_(tiling),
        tape_(tape),
        threads_(threads),
        batch_(tape.input().cols()) {}

  void forward() {
    prepare();
    const std::size_t end = net_.steps().size();
    for (std::size_t first = 0; first < end;) {
      std::size_t last = first;
      while (last < end && !net_.steps()[last].traits().coupled) ++last;
      stage(first, last, Up{*this});
      if (last < end) parts(last, Up{*this});
      first = last + 1;
    }
  }

  /// From the output down to whatever the tape wants.
  void backward() {
    for (std::size_t last = net_.steps().size(); last > 0;) {
      std::size_t first = last;
      while (first > 0 && !net_.steps()[first - 1].traits().coupled) --first;
      stage(first, last, Down{*this});
      if (first > 0) parts(first - 1, Down{*this}), --first;
      last = first;
    }
  }

 private:
  // The two directions: a step for some samples, a step's parts for all of them, and in which order a run is walked.
  struct Up {
    Pass& pass;
    bool needed(std::size_t) const { return true; }
    static constexpr bool reversed = false;
    void step(std::size_t s, Index first, Index count) const { pass.forward_step(s, first, count); }
    void parts(std::size_t s, Index first, Index last, Index part) const { pass.forward_parts(s, first, last, part); }
    void finish(std::size_t) const {}
  };
  struct Down {
    Pass& pass;
    bool needed(std::size_t s) const { return pass.tape_.needed(s); }
    static constexpr bool reversed = true;
    void step(std::size_t s, Index first, Index count) const { pass.backward_step(s, first, count); }
    void parts(std::size_t s, Index first, Index last, Index part) const { pass.backward_parts(s, first, last, part); }
    void finish(std::size_t s) const {
      if (pass.layer_adds(s)) pass.add_spare(s, 0, pass.batch_);
    }
  };

  /// Each thread has consecutive steps that write about as many numbers.
  void prepare() {
    if (net_.prepared_size() == 0) return;
    constexpr double operations = 16;  // that a product does while a number is copied
    const auto all = static_cast<double>(net_.prepared_size());
    parallel(usable_threads(threads_, operations * all), [&](int part, int of) {
      double done = 0;
      for (const Step<T>& step : net_.steps()) {
        const auto size = static_cast<double>(step.prepared_size);
        const double middle = done + size / 2;
        done += size;
        if (size > 0 && middle >= all * part / of && middle < all * (part + 1) / of)
          step.table->prepare(step.layer.get(), step.slice(params_), step.state_slice(state_),
                              step.prepared_slice(tape_.prepared()), Phase::training);
      }
    });
  }

  template <class Direction>
  void stage(std::size_t first, std::size_t last, const Direction& direction) {
    const double work = work_of(first, last);
    const Index threads = usable_threads(threads_, work), width = tiling_.width(batch_, threads);
    const auto walk = [&](const auto& f) {
      for (std::size_t i = 0; i < last - first; ++i) {
        const std::size_t s = Direction::reversed ? last - 1 - i : first + i;
        if (direction.needed(s)) f(s);
      }
    };
    if (threads > 1 && Tiling::count(batch_, width) < threads) return walk([&](std::size_t s) { parts(s, direction); });
    parallel_for(Tiling::count(batch_, width), work, threads_, [&](Index tile) {
      walk([&](std::size_t s) { direction.step(s, tile * width, std::min(width, batch_ - tile * width)); });
    });
  }

  /// One step, by parts.
  template <class Direction>
  void parts(std::size_t s, const Direction& direction) {
    const Step<T>& step = net_.steps()[s];
    if (!direction.needed(s)) return;
    if (step.kind != StepKind::layer || step.traits().stochastic) return direction.step(s, 0, batch_);
    const bool by_pixels = step.traits().elementwise && !step.traits().parted && !step.traits().parametric;
    const Shape shape = net_.levels()[step.writes];
    const Index part = by_pixels ? rows_of_part(shape) : 0;
    const Index of = by_pixels ? (shape.size() + part - 1) / part : step.part_count();
    parallel_ranges(of, work_of(s, s + 1), threads_,
                    [&](Index first, Index last) { direction.parts(s, first, last, part); });
    direction.finish(s);
  }

  double work_of(std::size_t first, std::size_t last) const {
    double operations = 0;
    for (std::size_t s = first; s < last; ++s) operations += net_.steps()[s].operations;
    return operations * static_cast<double>(batch_);
  }
  Prepared<T> params_of(const Step<T>& step) const {
    return {step.slice(params_), step.prepared_slice(std::span<const T>(tape_.prepared()))};
  }
  /// A stream of its own for a layer that draws; the others need not wait for it.
  Draw draw_of(std::size_t s, Index first) const {
    const Draw draw = tape_.draw();
    return {net_.steps()[s].traits().stochastic ? draw.rng.fold_in(s) : draw.rng, draw.first_sample + first};
  }

  void forward_step(std::size_t s, Index first, Index count) {
    const Step<T>& step = net_.steps()[s];
    const View<T> y = tape_.writable_activation(step.writes).columns(first, count);
    if (step.kind == StepKind::layer)
      return step.table->forward_train(step.layer.get(), params_of(step),
                                       tape_.activation(step.reads[0]).columns(first, count), y, draw_of(s, first));
    join(net_, step, y, [&](std::size_t level) { return tape_.activation(level).columns(first, count); });
  }

  void forward_parts(std::size_t s, Index first, Index last, Index part) {
    const Step<T>& step = net_.steps()[s];
    const ConstView<T> x = tape_.activation(step.reads[0]);
    const View<T> y = tape_.writable_activation(step.writes);
    if (part == 0) return step.table->forward_parts(step.layer.get(), params_of(step), x, y, first, last);
    step.table->forward(step.layer.get(), params_of(step), rows(x, first, last, part), rows(y, first, last, part));
  }

  bool layer_adds(std::size_t s) const { return net_.steps()[s].kind == StepKind::layer && tape_.adds(s, 0); }
  /// Where a layer's dx goes: to the level's gradient, or beside it to be added.
  View<T> target(std::size_t s) {
    const std::size_t level = net_.steps()[s].reads[0];
    return layer_adds(s) ? tape_.spare(level) : tape_.gradient(level);
  }
  void add_spare(std::size_t s, Index first, Index count) {
    const std::size_t level = net_.steps()[s].reads[0];
    tape_.gradient(level).columns(first, count) += tape_.spare(level).columns(first, count);
  }

  void backward_step(std::size_t s, Index first, Index count) {
    const Step<T>& step = net_.steps()[s];
    const ConstView<T> dy = tape_.gradient(step.writes).columns(first, count);
    if (step.kind == StepKind::layer) {
      step.table->backward_input(
          step.layer.get(), params_of(step), tape_.activation(step.reads[0]).columns(first, count),
          tape_.activation(step.writes).columns(first, count), dy, target(s).columns(first, count), draw_of(s, first));
      if (layer_adds(s)) add_spare(s, first, count);
      return;
    }
    join_backward(
        net_, step, dy,
        [&](std::size_t read) {
          const std::size_t level = step.reads[read];
          return tape_.wanted(level) ? tape_.gradient(level).columns(first, count) : View<T>();
        },
        [&](std::size_t read) { return tape_.adds(s, read); });
  }

  void backward_parts(std::size_t s, Index first, Index last, Index part) {
    const Step<T>& step = net_.steps()[s];
    const ConstView<T> x = tape_.activation(step.reads[0]), y = tape_.activation(step.writes);
    const ConstView<T> dy = tape_.gradient(step.writes);
    const View<T> dx = target(s);
    if (part == 0)
      return step.table->backward_input_parts(step.layer.get(), params_of(step), x, y, dy, dx, first, last);
    step.table->backward_input(step.layer.get(), params_of(step), rows(x, first, last, part),
                               rows(y, first, last, part), rows(dy, first, last, part), rows(dx, first, last, part),
                               draw_of(s, 0));
  }

  /// Element-wise layers where samples are few: a part is whole pixels, some 4096 numbers.
  static Index rows_of_part(Shape shape) { return shape.channels * std::max<Index>(1, 4096 / shape.channels); }
  /// Parts [first, last) of so many rows each.
  template <class V>
  static V rows(V m, Index first, Index last, Index part) {
    const Index row = first * part;
    return V(m.data() + row, std::min(last * part, m.rows()) - row, m.cols(), m.outerStride());
  }

  const Steps<T>& net_;
  std::span<const T> params_, state_;
  const Tiling& tiling_;
  Tape<T>& tape_;
  Threads threads_;
  Index batch_;  // of a pass that has not ended yet the tape does not tell
};

}  // namespace eigan::detail
