#include <doctest/doctest.h>
#include <array>
#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include <eigan/net/estimate_statistics.hpp>
#include <eigan/net/memory_plan.hpp>

#include "net/by_hand.hpp"
#include "net/random_steps.hpp"
#include "support.hpp"

using namespace eigan;

namespace {

using Levels = std::vector<std::size_t>;
using L = Linear<6, 6>;

detail::MemoryPlan plan(const Steps<float>& net, bool separate = false) {
  return detail::plan_memory(net, separate);
}
Levels own_levels(const Steps<float>& net) {
  Levels all;
  for (std::size_t level = 0; level < net.levels().size(); ++level) all.push_back(level);
  return all;
}

/// Whether the way back reads a level: its maker y, a reader x.
bool is_read_on_the_way_back(const Steps<float>& net, std::size_t level) {
  for (const Step<float>& step : net.steps()) {
    if (step.kind != StepKind::layer) continue;
    if (step.writes == level && step.traits().reads_y) return true;
    if (step.reads[0] == level && step.traits().reads_x) return true;
  }
  return false;
}

std::vector<Matrix<float>> random_inputs(const Steps<float>& net, Index batch) {
  std::vector<Matrix<float>> inputs;
  for (std::size_t i = 0; i < net.inputs(); ++i) inputs.push_back(support::random_matrix<float>(6, batch, 20 + i));
  return inputs;
}

/// y = 1 + x; its state is the mean of the first feature of x.
struct Meter {
  static constexpr bool elementwise = true;
  static constexpr bool backward_reads_x = false, backward_reads_y = false;
  Index prepared_size() const { return 0; }
  template <class T>
  void prepare(std::span<const T>, std::span<const T>, std::span<T>, Phase) const {}
  Index state_size() const { return 1; }
  std::vector<Parameter> states() const { return {{"mean", 0, 1, 1, 1}}; }
  template <class T>
  void init_state(std::span<T> s) const {
    s[0] = 0;
  }
  template <class T>
  void update_statistics(std::span<T> s, ConstView<T> x, double momentum) const {
    s[0] += static_cast<T>(momentum) * (x.row(0).mean() - s[0]);
  }
  template <class T>
  void merge_statistics(std::span<T> s, ConstView<T> x, Index) const {
    s[0] = x.row(0).mean();
  }
  template <class T>
  void forward(Prepared<T>, ConstView<T> x, View<T> y) const {
    y = x.array() + 1;
  }
  template <class T>
  void backward_input(Prepared<T>, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    dx = dy;
  }
};
static_assert(StatisticsLayer<Meter>);

}  // namespace

TEST_CASE("plan_memory: what statistics are taken of is written over by none") {
  const auto net = std::make_shared<Steps<float>>(std::vector{Shape{6}});
  const auto a = net->add(own::Negate(), 0, "a"), b = net->add(Meter(), a, "b");
  net->add(own::Negate(), b, "c");  // in place
  CHECK(plan(*net).activation == Levels{0, 1, 2, 2});
  BasicModel<float> model(net, "meter", Rng(1));
  auto tape = model.tape(5);
  const auto x = support::random_matrix<float>(6, 5, 2);
  model.forward(tape, x);
  update_statistics(model, tape, 1);
  CHECK(model.state()[0] == doctest::Approx(static_cast<double>(-x.row(0).mean())));
}

TEST_CASE("plan_memory: an element-wise layer writes over what nobody reads on the way back") {
  Steps<float> net({Shape{6}});
  std::size_t at = net.add(Tanh(), 0, "0");  // an input is the caller's
  at = net.add(own::Negate(), at, "1");      // Tanh reads its output
  at = net.add(own::Negate(), at, "2");      // in place
  at = net.add(Tanh(), at, "3");             // in place
  at = net.add(L(), at, "4");                // not element-wise
  at = net.add(own::Square(), at, "5");      // reads its input
  at = net.add(Dropout(), at, "6");          // in place
  at = net.add(own::Scale(), at, "7");       // reads its input for its parameters
  net.add(own::Negate(), at, "8");           // in place
  CHECK(plan(net).activation == Levels{0, 1, 2, 2, 2, 5, 6, 6, 8, 8});
  // Gradients, from the output down: element-wise layers turn dy into dx, but Scale's parameters still need it.
  CHECK(plan(net).gradient == Levels{0, 4, 4, 4, 4, 7, 7, 7, 9, 9});
  CHECK(plan(net, true).activation == own_levels(net));
  CHECK(plan(net, true).gradient == own_levels(net));
  CHECK(plan(net).spare_features == 0);
}

TEST_CASE("plan_memory: a level with several readers is written over by none") {
  Steps<float> net({Shape{6}});
  const auto a = net.add(L(), 0, "a"), b = net.add(own::Negate(), a, "b"), c = net.add(own::Negate(), a, "c");
  net.sum({b, c}, "sum");
  CHECK(plan(net).activation == Levels{0, 1, 2, 3, 3});  // the sum lies over the last that it reads
  // The sum hands dy down to c, whose layer turns it into dx beside the place where it is added.
  CHECK(plan(net).gradient == Levels{0, 1, 2, 4, 4});
  CHECK(plan(net).adds == std::vector<std::vector<bool>>{{false}, {true}, {false}, {false, false}});
  CHECK(plan(net).spare_features == 6);
}

TEST_CASE("plan_memory: a sum lies over its last level, unless that is read elsewhere or twice") {
  Steps<float> net({Shape{6}, Shape{6}});
  const auto a = net.add(L(), 0, "a");
  const auto b = net.sum({a, 1}, "b");     // over an input: no
  const auto c = net.sum({1, b}, "c");     // over b
  const auto d = net.sum({c, c}, "d");     // reads c twice
  const auto e = net.add(Tanh(), d, "e");  // over d
  const auto f = net.sum({0, e}, "f");     // Tanh reads its output
  const auto g = net.add(L(), f, "g");
  net.sum({f, g}, "h");
  CHECK(plan(net).activation == Levels{0, 1, 2, 3, 3, 5, 5, 7, 8, 8});
  CHECK(plan(net).gradient == Levels{0, 1, 2, 4, 4, 7, 7, 7, 9, 9});
  // Input 1 is read by b and by c, which comes first on the way back; c twice by d; f by g and h.
  CHECK(plan(net).adds[1] == std::vector<bool>{false, true});
  CHECK(plan(net).adds[2] == std::vector<bool>{false, false});
  CHECK(plan(net).adds[3] == std::vector<bool>{false, true});
  CHECK(plan(net).adds[6] == std::vector<bool>{true});
  CHECK(plan(net).adds[7] == std::vector<bool>{false, false});
  CHECK(plan(net).spare_features == 6);
}

TEST_CASE("plan_memory: a concatenation has memory of its own") {
  Steps<float> net({Shape{6}});
  const auto a = net.add(L(), 0, "a"), b = net.concatenate({a, 0, a}, "b");
  net.add(Dropout(), b, "c");
  CHECK(plan(net).activation == Levels{0, 1, 2, 2});
  CHECK(plan(net).gradient == Levels{0, 1, 3, 3});
  CHECK(plan(net).adds[1] == std::vector<bool>{false, false, true});
  CHECK(plan(net).adds[0] == std::vector<bool>{true});
}

TEST_CASE("plan_memory: room for what is added is as wide as the widest such level") {
  Steps<float> net({Shape{2, 3, 4}});
  const auto a = net.add(Dropout(), 0, "a"), b = net.add(Dropout(), a, "b"), c = net.add(Dropout(), a, "c");
  net.concatenate({b, c}, "d");
  CHECK(plan(net).spare_features == 24);
}

TEST_CASE("plan_memory: lists put together at random train as with memory for each level") {
  int shared = 0, several_readers = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const auto net = random_steps::make<float>(seed);
    const std::string text = random_steps::text(*net);
    CAPTURE(seed);
    CAPTURE(text);
    const BasicModel<float> model(net, "random", Rng(seed));
    constexpr Index batch = 5;
    const auto inputs = random_inputs(*net, batch);
    const std::vector<ConstView<float>> x(inputs.begin(), inputs.end());
    const auto dy = support::random_matrix<float>(model.output_size(), batch, 3);
    const auto expected = by_hand::train<float>(model, inputs, dy, Rng(5));
    auto tape = model.tape(batch), separate = model.separate_tape(batch);
    for (auto* const t : {&tape, &separate}) {
      std::vector<Matrix<float>> gradients = inputs;
      const std::vector<View<float>> dx(gradients.begin(), gradients.end());
      CHECK(support::same_bits<float>(model.forward(*t, x, {Rng(5), 0}), expected.y()));
      // What the way back does not read may hold anything.
      if (t == &separate)
        for (std::size_t level = net->inputs(); level < net->levels().size(); ++level)
          if (!is_read_on_the_way_back(*net, level))
            t->writable_activation(level).setConstant(std::numeric_limits<float>::quiet_NaN());
      t->output_gradient() = dy;
      model.backward_inputs(*t, dx);
      for (std::size_t i = 0; i < inputs.size(); ++i) CHECK(support::same_bits(gradients[i], expected.dx(i)));
      Buffer<float> grad = model.zeros();
      model.forward(*t, x, {Rng(5), 0});
      t->output_gradient() = dy;
      model.backward_params(*t, grad);
      CHECK(support::same_bits<float>(grad, expected.grad));
    }
    CHECK(support::same_bits(model.infer(x), by_hand::infer<float>(model, inputs)));
    for (std::size_t level = 0; level < net->levels().size(); ++level) {
      shared += plan(*net).activation[level] != level || plan(*net).gradient[level] != level ? 1 : 0;
      several_readers += net->readers(level) > 1 ? 1 : 0;
    }
  }
  CHECK(shared > 400);
  CHECK(several_readers > 500);
}
