// Lists of steps put together at random: layers of every kind of way back, sums and concatenations of any levels in
// front, several readers of a level, levels joined with themselves. A level has 6 features or is joined to such a one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <eigan/layers/dropout.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/relu.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/basic_model.hpp>

#include "net/own_layers.hpp"

namespace random_steps {

using namespace eigan;

/// Draws whole numbers.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : rng_(seed) {}
  std::size_t below(std::size_t n) { return rng_.word(at_++, 0) % n; }

 private:
  Rng rng_;
  Index at_ = 0;
};

/// `smooth`: of layers with a tangent whose derivatives central differences can find.
template <class T>
std::shared_ptr<const Steps<T>> make(std::uint64_t seed, bool smooth = false) {
  Dice dice(seed);
  Steps<T> net(std::vector<Shape>(1 + dice.below(2), Shape{6}));
  const auto any = [&] { return dice.below(net.levels().size()); };
  const auto name = [&] { return std::to_string(net.steps().size()); };
  const auto some = [&] {
    std::vector<std::size_t> levels{any(), any()};
    if (dice.below(3) == 0) levels.push_back(any());
    return levels;
  };
  std::vector<std::size_t> narrow(net.inputs());  // levels of 6 features
  for (std::size_t i = 0; i < narrow.size(); ++i) narrow[i] = i;
  const auto one = [&] { return narrow[dice.below(narrow.size())]; };
  const std::size_t steps = 2 + dice.below(9);
  for (std::size_t s = 0; s < steps; ++s) {
    switch (dice.below(smooth ? 8 : 11)) {
      case 0:
      case 1:
        narrow.push_back(net.add(Linear<6, 6>(), one(), name()));
        break;
      case 2:
        narrow.push_back(net.add(Tanh(), one(), name()));
        break;
      case 3:
        narrow.push_back(net.add(own::Negate(), one(), name()));
        break;
      case 4:
        narrow.push_back(net.add(Dropout(0.25), one(), name()));
        break;
      case 5:
        narrow.push_back(net.sum({one(), one()}, name()));
        break;
      case 6:
        narrow.push_back(net.sum({one(), one(), one()}, name()));
        break;
      case 7: {
        const auto joined = net.concatenate(some(), name());
        narrow.push_back(net.add(Linear<>(net.levels()[joined].size(), 6), joined, name()));
        break;
      }
      case 8:
        narrow.push_back(net.add(own::Square(), one(), name()));
        break;
      case 9:
        narrow.push_back(net.add(own::Scale(), one(), name()));
        break;
      default:
        narrow.push_back(net.add(ReLU(), one(), name()));
        break;
    }
  }
  std::vector<std::size_t> unread;
  for (std::size_t level = 0; level < net.levels().size(); ++level)
    if (net.readers(level) == 0) unread.push_back(level);
  if (unread.size() > 1) net.concatenate(std::move(unread), name());
  return std::make_shared<const Steps<T>>(std::move(net));
}

/// What it is, for a message.
template <class T>
std::string text(const Steps<T>& net) {
  std::string all = std::to_string(net.inputs()) + " inputs;";
  for (const Step<T>& step : net.steps()) {
    all += ' ' + std::to_string(step.writes) + " = ";
    all += step.kind == StepKind::layer ? step.spec().text() : step.kind == StepKind::sum ? "sum" : "channels";
    for (const std::size_t level : step.reads) all += ' ' + std::to_string(level);
    all += ';';
  }
  return all;
}

}  // namespace random_steps
