// Digits as a seven-segment display has them, on 12 x 10 pixels, shifted and noisy: a small convolutional network with
// batch normalisation, whose statistics are estimated before it is used.
#include <array>
#include <iomanip>
#include <iostream>
#include <vector>

#include <eigan/eigan.hpp>

using namespace eigan;

/// Images of random digits, a column each, and their labels.
std::vector<int> draw(Matrix<float>& images, Rng rng) {
  // Which segments shine: top, upper left, upper right, middle, lower left, lower right, bottom.
  constexpr std::array<const char*, 10> shapes{"1110111", "0010010", "1011101", "1011011", "0111010",
                                               "1101011", "1101111", "1010010", "1111111", "1111011"};
  constexpr int place[7][4] = {{0, 0, 1, 5}, {0, 0, 5, 1}, {0, 4, 5, 1}, {4, 0, 1, 5},
                               {4, 0, 5, 1}, {4, 4, 5, 1}, {8, 0, 1, 5}};
  fill_normal<float>(images, 0, 0.3, rng);
  std::vector<int> labels;
  for (Index j = 0; j < images.cols(); ++j) {
    const auto number = [&](Index i, int below) { return static_cast<int>(rng.fold_in(1).uniform(i, j) * below); };
    labels.push_back(number(0, 10));
    Eigen::Map<Matrix<float>> pixels(images.col(j).data(), 10, 12);  // a column of this map is a row of the image
    for (std::size_t s = 0; s < 7; ++s)
      if (const auto& [row, col, height, width] = place[s]; shapes[static_cast<std::size_t>(labels.back())][s] == '1')
        pixels.block(col + number(1, 5), row + number(2, 3), width, height).array() += 1;
  }
  return labels;
}

int main() {
  Model<Sequential<Input<1, 12, 10>, Conv2d<1, 8, 3, 1, 1>, BatchNorm2d<8>, ReLU, MaxPool2d<2>, Conv2d<8, 16, 3, 1, 1>,
                   BatchNorm2d<16>, ReLU, Flatten, Linear<16 * 6 * 5, 10>>>
      model(Rng(1));
  const Index steps = 300;
  auto tape = model.tape(50);
  auto gradient = model.zeros();
  Adam adam(gradient.size());
  Matrix<float> x(120, 50);
  for (Index step = 0; step < steps; ++step) {
    const auto labels = draw(x, Rng(2).fold_in(static_cast<std::uint64_t>(step)));
    adam.options().lr = 0.01 * one_cycle(step, steps);
    const auto logits = model.forward(tape, x);
    cross_entropy<float>(logits, labels, tape.output_gradient());
    backward_and_step(model, tape, adam, gradient);
  }
  Matrix<float> test(120, 1000);
  const auto labels = draw(test, Rng(3));
  estimate_statistics(model, x);
  const Matrix<float> logits = model.infer(test);
  const double accuracy = metrics::accuracy<float>(logits, labels);
  std::clog << "accuracy " << accuracy << '\n';
  std::cout << std::boolalpha << "above 95 % of 1000 digits are right: " << (accuracy > 0.95) << '\n'
            << "loss below 0.2: " << (cross_entropy<float>(logits, labels) < 0.2f) << '\n';
}
