// Deep Q-learning (Mnih et al. 2015) on a field of 5 x 5 with a pit in the middle: from one corner to the other, up,
// down, left or right. A second network, a copy that is renewed now and then, says what the next state is worth.
#include <algorithm>
#include <iostream>
#include <vector>

#include <eigan/data/batches.hpp>
#include <eigan/eigan.hpp>

using namespace eigan;

struct Cell {
  int x = 0, y = 0;
  bool goal() const { return x == 4 && y == 4; }
  bool pit() const { return x == 2 && y == 2; }
  Cell moved(Index action) const {
    const int dx[] = {0, 0, -1, 1}, dy[] = {-1, 1, 0, 0};
    return {std::clamp(x + dx[action], 0, 4), std::clamp(y + dy[action], 0, 4)};
  }
  Eigen::VectorXf state() const {  // one-hot
    Eigen::VectorXf s = Eigen::VectorXf::Zero(25);
    s[5 * y + x] = 1;
    return s;
  }
};
struct Memory {
  Cell from, to;
  Index action;
};

int main() {
  constexpr Index batch = 32;
  constexpr float discount = 0.9f;
  Model<Sequential<Linear<25, 32>, ReLU, Linear<32, 4>>> online(Rng(1)), target = online.clone();
  auto tape = online.tape(batch);
  auto gradient = online.zeros();
  Adam adam(gradient.size(), {.lr = 0.005});
  std::vector<Memory> memory;
  Matrix<float> states(25, batch), next(25, batch);
  const Rng rng(2);
  Cell cell;
  for (Index step = 0; step < 3000; ++step) {
    const bool explore = rng.uniform(0, step) < 0.3;
    const Index action =
        explore ? static_cast<Index>(4 * rng.uniform(1, step)) : metrics::argmax<float>(online.infer(cell.state()), 0);
    memory.push_back({cell, cell.moved(action), action});
    cell = memory.back().to.goal() || memory.back().to.pit() ? Cell{} : memory.back().to;
    if (memory.size() < batch) continue;

    std::vector<const Memory*> some;
    for (Index j = 0; j < batch; ++j)
      some.push_back(&memory[uniform_below(rng.fold_in(static_cast<std::uint64_t>(step)), static_cast<std::uint64_t>(j),
                                           static_cast<std::uint32_t>(memory.size()))]);
    for (Index j = 0; j < batch; ++j) {
      states.col(j) = some[static_cast<std::size_t>(j)]->from.state();
      next.col(j) = some[static_cast<std::size_t>(j)]->to.state();
    }
    const Matrix<float> worth = target.infer(next);
    const auto q = online.forward(tape, states);
    Matrix<float> wanted = q;  // only the action that was taken is corrected
    for (Index j = 0; j < batch; ++j) {
      const Memory& m = *some[static_cast<std::size_t>(j)];
      wanted(m.action, j) = m.to.goal() ? 1 : m.to.pit() ? -1 : discount * worth.col(j).maxCoeff();
    }
    huber<float>(q, wanted, tape.output_gradient());
    backward_and_step(online, tape, adam, gradient, {.norm = 10});
    if (step % 100 == 0) copy_parameters(online, target);
  }
  Cell at;
  int moves = 0;
  for (; !at.goal() && !at.pit() && moves < 20; ++moves)
    at = at.moved(metrics::argmax<float>(online.infer(at.state()), 0));
  std::cout << (at.goal() ? "at the goal" : "not there") << " after " << moves << " moves; 8 are the fewest\n";
}
