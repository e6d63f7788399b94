// Ten networks, each of its own sample of the data, drawn with replacement (Breiman 1996): where they disagree, they
// have seen nothing. How often a network has drawn a point is that point's weight. They train side by side, a thread
// each.
#include <cmath>
#include <iostream>
#include <thread>
#include <vector>

#include <eigan/data/batches.hpp>
#include <eigan/eigan.hpp>

using namespace eigan;

int main() {
  constexpr Index samples = 80;
  constexpr std::size_t members = 10;
  Matrix<float> x(1, samples), noise(1, samples);
  fill_uniform<float>(x, -2, 2, Rng(1));
  fill_normal<float>(noise, 0, 0.1, Rng(2));
  const Matrix<float> target = (2 * x.array()).sin() + noise.array();
  const Matrix<float> inside = Eigen::RowVectorXf::LinSpaced(41, -1.5f, 1.5f),
                      outside = Eigen::RowVectorXf::LinSpaced(41, 4, 6);

  std::vector<Matrix<float>> within(members), beyond(members);
  const auto train = [&](std::size_t member) {
    const Rng rng = Rng(3).fold_in(member);
    std::vector<float> weights(samples, 0);
    for (std::uint64_t i = 0; i < samples; ++i) weights[uniform_below(rng.fold_in(0), i, samples)] += 1;
    Model<Sequential<Linear<1, 32>, Tanh, Linear<32, 32>, Tanh, Linear<32, 1>>> model(rng.fold_in(1));
    auto tape = model.tape(samples);
    auto gradient = model.zeros();
    Adam adam(gradient.size(), {.lr = 0.01});
    for (int step = 0; step < 500; ++step) {
      const auto y = model.forward(tape, x, Threads{1});
      mse<float>(y, target, tape.output_gradient(), weights);
      backward_and_step(model, tape, adam, gradient, Threads{1});
    }
    within[member] = model.infer(inside, Threads{1});
    beyond[member] = model.infer(outside, Threads{1});
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < members; ++i) threads.emplace_back(train, i);
  for (std::thread& thread : threads) thread.join();

  const auto spread = [&](const std::vector<Matrix<float>>& all) {
    Matrix<float> mean = Matrix<float>::Zero(1, 41), square = mean;
    for (const Matrix<float>& y : all) mean += y / float(members);
    for (const Matrix<float>& y : all) square += (y - mean).cwiseAbs2() / float(members);
    return std::sqrt(square.mean());
  };
  const float among = spread(within), far = spread(beyond);
  std::clog << "beyond the data they differ more, times " << far / among << '\n';
  std::cout << std::boolalpha << "among the data they differ by less than 0.1: " << (among < 0.1f) << '\n'
            << "beyond them by five times as much or more: " << (far > 5 * among) << '\n';
}
