// What examples/03_xor.cpp does, with dlib, as its examples have it. The loss that it shows is an average of its own.
#include <dlib/dnn.h>

#include <cmath>
#include <iomanip>
#include <iostream>
#include <vector>

using namespace dlib;

using Net = loss_binary_log<fc<1, htan<fc<8, input<matrix<float>>>>>>;

int main() {
  std::vector<matrix<float>> x(4, matrix<float>(2, 1));
  x[0] = 0, 0;
  x[1] = 0, 1;
  x[2] = 1, 0;
  x[3] = 1, 1;
  const std::vector<float> target{-1, 1, 1, -1};

  Net net;
  dnn_trainer<Net, adam> trainer(net, adam(0, 0.9f, 0.999f));
  trainer.set_learning_rate(0.05);

  std::cout << std::fixed << std::setprecision(3);
  for (int step = 0; step <= 200; ++step) {
    trainer.train_one_step(x, target);
    if (step % 50 == 0) {
      std::cout << "step " << std::setw(3) << step << "   loss " << trainer.get_average_loss() << '\n';
      trainer.clear_average_loss();
    }
  }

  trainer.get_net();
  for (auto& xj : x) {
    const float probability = 1 / (1 + std::exp(-net(xj)));
    std::cout << int(xj(0)) << " xor " << int(xj(1)) << " = " << probability << '\n';
  }
}
