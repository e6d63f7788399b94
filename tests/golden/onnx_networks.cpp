// Writes networks as ONNX files with inputs and what eigan makes of them, for onnx_networks.py:
//   onnx_networks FOLDER
#include <filesystem>
#include <iostream>
#include <span>
#include <string>

#include <eigan/core/random.hpp>
#include <eigan/io/npy.hpp>
#include <eigan/io/onnx.hpp>
#include <eigan/net/estimate_statistics.hpp>
#include <eigan/net/sequential.hpp>

namespace {

using namespace eigan;

/// `NAME.onnx`, `NAME.x.npy` and `NAME.y.npy`, a sample a row.
template <class Net, class T>
void write(const std::filesystem::path& folder, const std::string& name, Model<Net, T>& model, Index samples) {
  Matrix<T> x(model.net().input_size(), samples);
  fill_uniform<T>(x, -2, 2, Rng(7));
  save_onnx(folder / (name + ".onnx"), model);
  write_npy<T>(folder / (name + ".x.npy"), x);
  const Matrix<T> y = model.infer(x);
  write_npy<T>(folder / (name + ".y.npy"), y);
}

}  // namespace

int main(int argc, char** argv) {
  const auto arguments = std::span(argv, static_cast<std::size_t>(argc));
  if (arguments.size() != 2) {
    std::cerr << "usage: onnx_networks FOLDER\n";
    return 2;
  }
  const std::filesystem::path folder = arguments[1];

  Model linear(Sequential(Linear<>(5, 3)), Rng(1));
  write(folder, "linear", linear, 4);

  Model activations(Sequential(Linear<>(6, 20), LeakyReLU(0.2), Linear<>(20, 20), ReLU(), Dropout(0.5),
                               Linear<>(20, 20), Tanh(), Linear<>(20, 2), Sigmoid()),
                    Rng(2));
  write(folder, "activations", activations, 33);

  Model normalised(Sequential(Linear<>(8, 40), BatchNorm1d<>(40), LeakyReLU(0), Linear<>(40, 70),
                              BatchNorm1d<>(70, 0.001), LeakyReLU(), Linear<>(70, 9), Tanh()),
                   Rng(3));
  Matrix<float> many(8, 500);
  fill_normal<float>(many, 0.5, 2, Rng(4));
  estimate_statistics(normalised, many);
  write(folder, "normalised", normalised, 17);

  Model<Sequential<Linear<100, 32>, LeakyReLU, Linear<32, 784>, Tanh>> images(Rng(5));
  write(folder, "images", images, 64);
}
