// AnyLayer: a layer or composition whose type is known only at run time. It holds, by value, any type that satisfies
// the concepts for float and double, a user's own as well, and appends to a list of steps what that type would append.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <eigan/net/composition.hpp>
#include <eigan/net/must_be_a_layer.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/net/steps.hpp>

namespace eigan {

/// A layer of any type, as a value.
class AnyLayer {
 public:
  /// Holds a copy of the layer.
  template <class L>
  requires(!std::same_as<L, AnyLayer> && (Composition<L> || ShapedLayer<L> || (Layer<L, float> && Layer<L, double>)))
      // NOLINTNEXTLINE(google-explicit-constructor): a layer is where any layer is expected
      AnyLayer(L layer)
      : held_(std::make_shared<const Held<L>>(std::move(layer))) {}

  /// How the layer describes itself.
  Spec spec() const { return held_->spec(); }
  /// What it takes if its own sizes say so.
  std::vector<Shape> input_shapes() const { return held_->input_shapes(); }
  /// Whether it states the network's input and has no number.
  bool is_input() const { return held_->is_input; }
  /// Appends its steps under this name.
  template <class T>
  std::size_t append(Steps<T>& steps, std::size_t level, const std::string& name) const {
    return held_->append(steps, level, name);
  }

 private:
  struct Base {
    explicit Base(bool input) : is_input(input) {}
    Base(const Base&) = delete;
    Base& operator=(const Base&) = delete;
    virtual ~Base() = default;
    virtual Spec spec() const = 0;
    virtual std::vector<Shape> input_shapes() const = 0;
    virtual std::size_t append(Steps<float>& steps, std::size_t level, const std::string& name) const = 0;
    virtual std::size_t append(Steps<double>& steps, std::size_t level, const std::string& name) const = 0;
    bool is_input;
  };
  template <class L>
  struct Held final : Base {
    explicit Held(L l) : Base(detail::is_input<L>), layer(std::move(l)) {}
    Spec spec() const override { return detail::spec_of_any(layer); }
    std::vector<Shape> input_shapes() const override { return detail::input_shapes_of(layer); }
    std::size_t append(Steps<float>& steps, std::size_t level, const std::string& name) const override {
      return detail::append(steps, layer, level, name);
    }
    std::size_t append(Steps<double>& steps, std::size_t level, const std::string& name) const override {
      return detail::append(steps, layer, level, name);
    }
    L layer;
  };

  std::shared_ptr<const Base> held_;  // shared by copies: nobody changes it
};

namespace detail {
template <std::size_t... Position>
struct MustBeALayer<AnyLayer, Position...> {
  static_assert(sizeof...(Position) > 999,
                "eigan: what an AnyLayer holds is known only at run time; use eigan::Network");
};
}  // namespace detail

}  // namespace eigan
