// Steps<T>: a network as passes see it: a flat list. Level 0 is the input (0, 1, ... where there are several), every
// step reads one or more levels in front of it and writes the next. Sequential, Residual and the others append
// themselves to such a list; what is no such composition can add its steps by hand:
//
//   Steps<float> steps({Shape{3, 8, 8}});
//   const auto a = steps.add(Conv2d<3, 3, 3, 1, 1>{}, 0, "conv");
//   steps.sum({0, a}, "sum");
//
// BasicModel<float>(std::make_shared<Steps<float>>(steps), "a name", Rng(1)) is its model.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <eigan/core/checked.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/layer_defaults.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/core/shape_text.hpp>
#include <eigan/net/step.hpp>

namespace eigan {

/// The list.
template <class T>
class Steps {
 public:
  /// Of inputs of these shapes, one at least, and no steps yet.
  explicit Steps(std::vector<Shape> inputs) : levels_(std::move(inputs)), inputs_(levels_.size()) {
    if (levels_.empty()) detail::fail_contract("eigan::Steps: needs at least one input");
    for (const Shape& shape : levels_)
      if (!shape || !fits_memory(shape))
        detail::fail_contract("eigan: an input cannot have the shape ", shape_text(shape));
  }

  /// Adds a layer behind level `from`; returns the level that it makes. Throws std::invalid_argument, naming the layer,
  /// if it does not take what that level gives.
  template <class L>
  std::size_t add(const L& layer, std::size_t from, std::string name) {
    check_reads({from}, name);
    const Shape in = levels_[from], out = detail::output_shape_of(layer, in);
    if (!out)
      detail::fail_contract("eigan: this layer does not take what the layer before gives: layer ", name, ", ",
                            detail::spec_of(layer).text(), ", expects ", expected(layer), " and receives ",
                            shape_text(in));
    check_memory(out, name);  // before the layer is placed, which multiplies sizes
    if constexpr (ShapedLayer<L>)
      return add_placed(layer.at(in), from, out, std::move(name));
    else
      return add_placed(layer, from, out, std::move(name));
  }
  /// The sum of levels of one shape.
  std::size_t sum(std::vector<std::size_t> levels, std::string name) {
    check_reads(levels, name);
    for (const std::size_t level : levels)
      if (levels_[level] != levels_[levels.front()])
        detail::fail_contract("eigan: a sum needs equal shapes: ", name, " receives ",
                              shape_text(levels_[levels.front()]), " and ", shape_text(levels_[level]));
    const Shape out = levels_[levels.front()];
    return push({StepKind::sum, std::move(levels), 0, std::move(name)}, out);
  }
  /// The channels of levels of one height and width side by side; a vector among images is repeated at every pixel.
  std::size_t concatenate(std::vector<std::size_t> levels, std::string name) {
    check_reads(levels, name);
    const auto is_image = [&](std::size_t level) { return !levels_[level].is_vector(); };
    const auto image = std::find_if(levels.begin(), levels.end(), is_image);
    Shape out = image == levels.end() ? Shape{} : levels_[*image];
    out.channels = 0;
    for (const std::size_t level : levels) {
      const Shape& in = levels_[level];
      if (!in.is_vector() && (in.height != out.height || in.width != out.width))
        detail::fail_contract("eigan: images side by side need one height and width: ", name, " receives ",
                              shape_text(levels_[*image]), " and ", shape_text(in));
      if (!checked_add(out.channels, in.channels, out.channels)) out.channels = std::numeric_limits<Index>::max();
    }
    return push({StepKind::concatenation, std::move(levels), 0, std::move(name)}, out);
  }

  /// The shapes of all levels.
  const std::vector<Shape>& levels() const { return levels_; }
  /// The steps, each behind those whose levels it reads.
  const std::vector<Step<T>>& steps() const { return steps_; }
  /// How many of the first levels are inputs.
  std::size_t inputs() const { return inputs_; }
  /// How many parameters there are, and numbers of state, and such as are prepared for a pass.
  Index param_size() const { return params_; }
  Index state_size() const { return states_; }
  Index prepared_size() const { return prepared_; }
  /// Whether a training pass draws random numbers.
  bool stochastic() const {
    return std::any_of(steps_.begin(), steps_.end(), [](const Step<T>& step) { return step.traits().stochastic; });
  }
  /// Steps that read a level.
  Index readers(std::size_t level) const {
    Index count = 0;
    for (const Step<T>& step : steps_) count += std::count(step.reads.begin(), step.reads.end(), level);
    return count;
  }

  /// Every tensor to train, named as torch.nn.Sequential names it: "0.weight".
  std::vector<Parameter> parameters() const {
    return collect([](const Step<T>& s) { return s.table->parameters(s.layer.get()); }, &Step<T>::offset);
  }
  /// Every tensor of the state: "1.running_mean".
  std::vector<Parameter> states() const {
    return collect([](const Step<T>& s) { return s.table->states(s.layer.get()); }, &Step<T>::state_offset);
  }

 private:
  void check_reads(const std::vector<std::size_t>& levels, const std::string& name) const {
    if (levels.empty()) detail::fail_contract("eigan::Steps: ", name, " must read a level");
    for (const std::size_t level : levels)
      if (level >= levels_.size())
        detail::fail_contract("eigan::Steps: ", name, " cannot read level ", level, " of ", levels_.size());
  }
  template <class L>
  static std::string expected(const L& layer) {
    if constexpr (requires { layer.expects(); })
      return layer.expects();
    else if constexpr (SizedLayer<L>)
      return detail::concat(detail::input_of(layer));
    else
      return "another shape";
  }
  template <class L>
  std::size_t add_placed(L layer, std::size_t from, Shape out, std::string name) {
    Step<T> step{StepKind::layer, {from}, 0, std::move(name), &detail::LayerFunctions<L, T>::table};
    step.layer = std::make_shared<const L>(std::move(layer));
    const auto place = [&](Index& total, Index& offset, Index& size, Index (*size_of)(const void*)) {
      offset = total, size = size_of(step.layer.get());
      if (size < 0 || !checked_add(total, size, total) || total > std::numeric_limits<Index>::max() / 8)
        detail::fail_contract("eigan: more parameters than any memory holds, with layer ", step.name, ", ",
                              step.spec().text());
    };
    place(params_, step.offset, step.size, step.table->param_size);
    place(states_, step.state_offset, step.state_size, step.table->state_size);
    place(prepared_, step.prepared_offset, step.prepared_size, step.table->prepared_size);
    step.operations = step.table->operations(step.layer.get());
    return push(std::move(step), out);
  }
  /// What a step reads and writes for a sample: where it does little else, that is its time.
  double numbers(const Step<T>& step, Shape out) const {
    auto sum = static_cast<double>(out.size());
    for (const std::size_t level : step.reads) sum += static_cast<double>(levels_[level].size());
    return sum;
  }
  static void check_memory(Shape out, const std::string& name) {
    if (!fits_memory(out))
      detail::fail_contract("eigan: layer ", name, " would give more numbers than any memory holds");
  }
  std::size_t push(Step<T> step, Shape out) {
    check_memory(out, step.name);
    for (const Step<T>& other : steps_)
      if (other.name == step.name) detail::fail_contract("eigan::Steps: there are two steps named ", step.name);
    step.operations = std::max(step.operations, detail::memory_access * numbers(step, out));
    step.writes = levels_.size();
    levels_.push_back(out);
    steps_.push_back(std::move(step));
    return levels_.size() - 1;
  }
  template <class F>
  std::vector<Parameter> collect(const F& tensors, Index Step<T>::*offset) const {
    std::vector<Parameter> all;
    for (const Step<T>& step : steps_) {
      if (step.table == nullptr) continue;
      for (Parameter p : tensors(step)) {
        p.name = step.name + '.' + p.name;
        p.offset += step.*offset;
        all.push_back(std::move(p));
      }
    }
    return all;
  }

  std::vector<Shape> levels_;
  std::size_t inputs_;
  std::vector<Step<T>> steps_;
  Index params_ = 0, states_ = 0, prepared_ = 0;
};

namespace detail {
/// Whether memory that was made for one network fits another.
template <class T>
bool same_layout(const Steps<T>& a, const Steps<T>& b) {
  const auto same = [](const Step<T>& s, const Step<T>& t) {
    return s.kind == t.kind && s.reads == t.reads && s.traits() == t.traits() && s.size == t.size &&
           s.prepared_size == t.prepared_size;
  };
  return a.levels() == b.levels() && a.inputs() == b.inputs() &&
         std::equal(a.steps().begin(), a.steps().end(), b.steps().begin(), b.steps().end(), same);
}

/// The place and the number of the parameters of layer number `layer`, which may be a composition. Throws
/// std::invalid_argument if there is none of that number.
template <class T>
std::pair<Index, Index> params_of_layer(const Steps<T>& net, std::size_t layer) {
  const std::string name = std::to_string(layer);
  Index first = -1, size = 0;
  for (const Step<T>& step : net.steps()) {
    if (step.name != name && !step.name.starts_with(name + '.')) continue;
    if (first < 0) first = step.offset;
    size += step.size;
  }
  if (first < 0) fail_contract("eigan::Model::params: the network has no layer ", layer);
  return {first, size};
}

}  // namespace detail
}  // namespace eigan
