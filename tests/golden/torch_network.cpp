// Writes a network, images and what it makes of them, for torch_network.py:
//   torch_network FOLDER
#include <exception>
#include <filesystem>
#include <iostream>
#include <span>

#include <eigan/io/model_file.hpp>
#include <eigan/io/npy.hpp>

#include "golden/torch_network.hpp"

int main(int argc, char** argv) {
  using namespace eigan;
  const auto arguments = std::span(argv, static_cast<std::size_t>(argc));
  if (arguments.size() != 2) {
    std::cerr << "usage: torch_network FOLDER\n";
    return 2;
  }
  try {
    const std::filesystem::path folder = arguments[1];
    auto model = test::torch_network();
    Matrix<float> x(model.input_size(), 40), planar(x.rows(), x.cols());
    fill_normal<float>(x, 0.5, 2, Rng(2));
    auto tape = model.tape(x.cols());
    for (int step = 0; step < 3; ++step) {
      model.forward(tape, x);
      update_statistics(model, tape);
    }
    save(folder / "network.safetensors", model);
    to_planar<float>(x, planar, model.input_shape());
    write_npy<float>(folder / "x.npy", planar);
    const Matrix<float> y = model.infer(x);
    write_npy<float>(folder / "y.npy", y);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
