// What a checkpoint's state is made of: StateVisitor is called with one part after the other, knows their whole names
// and tells apart what each is; an action (saving, restoring) does something with models and numbers.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <eigan/io/dtype.hpp>
#include <eigan/io/model_tensors.hpp>

namespace eigan::detail {

/// What is called with the parts of a state, one after the other: knows the whole names, and tells apart what a part
/// is.
template <class Action>
class StateVisitor {
 public:
  explicit StateVisitor(Action& action, std::string prefix = "") : action_(&action), prefix_(std::move(prefix)) {}

  template <class Part>
  void operator()(std::string_view name, Part&& part) const {
    static_assert(std::is_lvalue_reference_v<Part> || std::ranges::borrowed_range<Part>,
                  "a part of a state must outlive the call: a variable, or a span of one");
    const std::string full = prefix_ + std::string(name);
    if constexpr (SavableModel<std::remove_reference_t<Part>>) {
      action_->model(full, part);
    } else if constexpr (requires { part.visit_state(*this); }) {
      part.visit_state(StateVisitor(*action_, full + '.'));
    } else {
      action_->numbers(full, part);
    }
  }
  /// An integer that a file may set to `least` to `most` and nothing else.
  template <std::integral X>
  void operator()(std::string_view name, X& number, std::type_identity_t<X> least, std::type_identity_t<X> most) const {
    const std::string full = prefix_ + std::string(name);
    action_->numbers(full, number);
    if constexpr (requires { action_->check(full, number, least, most); }) action_->check(full, number, least, most);
  }

 private:
  Action* action_;
  std::string prefix_;
};

template <class State, class Action>
void visit_state(State&& state, Action& action) {
  if constexpr (requires { state.visit_state(StateVisitor(action)); })
    state.visit_state(StateVisitor(action));
  else
    state(StateVisitor(action));
}

template <class X>
concept Number = std::is_arithmetic_v<X> && !std::same_as<X, long double>;

/// The dtype whose elements are numbers of this type.
template <Number X>
constexpr Dtype number_dtype() {
  if constexpr (std::same_as<X, bool>) {
    return Dtype::boolean;
  } else if constexpr (std::same_as<X, char>) {
    return Dtype::u8;
  } else if constexpr (std::floating_point<X>) {
    return sizeof(X) == 4 ? Dtype::f32 : Dtype::f64;
  } else {
    constexpr bool is_signed = std::is_signed_v<X>;
    switch (sizeof(X)) {
      case 1:
        return is_signed ? Dtype::i8 : Dtype::u8;
      case 2:
        return is_signed ? Dtype::i16 : Dtype::u16;
      case 4:
        return is_signed ? Dtype::i32 : Dtype::u32;
      default:
        return is_signed ? Dtype::i64 : Dtype::u64;
    }
  }
}

/// A number, or a range of them, as a span.
template <Number X>
std::span<X> as_numbers(X& number) {
  return {&number, 1};
}
template <std::ranges::contiguous_range Range>
auto as_numbers(Range&& range) {
  // Of a range alone libc++ 14 cannot make one.
  return std::span(std::ranges::data(range), static_cast<std::size_t>(std::ranges::size(range)));
}
template <class Part>
using NumberOf = std::remove_const_t<typename decltype(as_numbers(std::declval<Part&>()))::element_type>;

}  // namespace eigan::detail
