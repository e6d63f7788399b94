// What examples/03_xor.cpp does, with libtorch, as its documentation has it.
#include <torch/torch.h>

#include <iomanip>
#include <iostream>

int main() {
  torch::manual_seed(1);
  const auto x = torch::tensor({{0.f, 0.f}, {0.f, 1.f}, {1.f, 0.f}, {1.f, 1.f}});
  const auto target = torch::tensor({{0.f}, {1.f}, {1.f}, {0.f}});

  torch::nn::Sequential model(torch::nn::Linear(2, 8), torch::nn::Tanh(), torch::nn::Linear(8, 1));
  torch::optim::Adam adam(model->parameters(), 0.05);

  std::cout << std::fixed << std::setprecision(3);
  for (int step = 0; step <= 200; ++step) {
    adam.zero_grad();
    auto loss = torch::binary_cross_entropy_with_logits(model->forward(x), target);
    if (step % 50 == 0) std::cout << "step " << std::setw(3) << step << "   loss " << loss.item<float>() << '\n';
    loss.backward();
    adam.step();
  }

  torch::NoGradGuard no_grad;
  const auto probability = torch::sigmoid(model->forward(x));
  for (int j = 0; j < 4; ++j) {
    std::cout << x[j][0].item<int>() << " xor " << x[j][1].item<int>() << " = " << probability[j].item<float>() << '\n';
  }
}
