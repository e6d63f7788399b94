// Writes networks as ONNX files with inputs and what eigan makes of them, for onnx_networks.py:
//   onnx_networks FOLDER
#include <exception>
#include <filesystem>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include <eigan/eigan.hpp>
#include <eigan/io/npy.hpp>
#include <eigan/io/onnx.hpp>

namespace {

using namespace eigan;

/// A file of columns in ONNX's order, channels first.
template <class T>
void write_planar(const std::filesystem::path& path, const Matrix<T>& x, Shape shape) {
  Matrix<T> planar(x.rows(), x.cols());
  to_planar<T>(x, planar, shape);
  write_npy<T>(path, planar);
}

/// `NAME.onnx`, `NAME.x0.npy`, ... of each input and `NAME.y.npy`, a sample a row.
template <class T>
void write(const std::filesystem::path& folder, const std::string& name, const BasicModel<T>& model, Index samples) {
  std::vector<Matrix<T>> inputs;
  for (std::size_t i = 0; i < model.steps().inputs(); ++i) {
    fill_uniform<T>(inputs.emplace_back(model.input_size(i), samples), -2, 2, Rng(7 + i));
    write_planar(folder / (name + ".x" + std::to_string(i) + ".npy"), inputs[i], model.input_shape(i));
  }
  const std::vector<ConstView<T>> views(inputs.begin(), inputs.end());
  const Matrix<T> y = model.infer(std::span(views));
  write_planar(folder / (name + ".y.npy"), y, model.output_shape());
  save_onnx(folder / (name + ".onnx"), model);
}

/// Statistics as of a training; of all samples of normally distributed inputs.
template <class T>
void estimate(BasicModel<T>& model) {
  Matrix<T> many(model.input_size(), 100);
  fill_normal<T>(many, 0.5, 2, Rng(4));
  estimate_statistics(model, many);
}

void write_dense(const std::filesystem::path& folder) {
  write(folder, "linear", Model(Sequential(Linear<>(5, 3)), Rng(1)), 4);
  write(folder, "activations",
        Model(Sequential(Linear<>(6, 20), LeakyReLU(0.2), Linear<>(20, 20), ReLU(), Dropout(0.5), Linear<>(20, 20),
                         Tanh(), Linear<>(20, 2), Sigmoid()),
              Rng(2)),
        33);
  Model normalised(Sequential(Linear<>(8, 40), BatchNorm1d<>(40), LeakyReLU(0), Linear<>(40, 70),
                              BatchNorm1d<>(70, 0.001), LayerNorm<70>(), Linear<>(70, 9), Tanh()),
                   Rng(3));
  estimate(normalised);
  write(folder, "normalised", normalised, 17);
  write(folder, "images", Model<Sequential<Linear<100, 32>, LeakyReLU, Linear<32, 784>, Tanh>>(Rng(5)), 64);
  write(folder, "double", Model<Sequential<Linear<6, 9>, Residual<Linear<9, 9>, Tanh>, Linear<9, 2>>, double>(Rng(6)),
        5);
}

void write_images(const std::filesystem::path& folder) {
  using Pools = Sequential<Input<3, 12, 16>, ReflectionPad2d<2>, MaxPool2d<3, 2, 1>, Upsample<2>, AvgPool2d<2>,
                           Upsample<2, Interpolation::bilinear>, InstanceNorm2d<3>, LayerNorm<3, 16, 20>>;
  write(folder, "pools", Model<Pools>(Rng(8)), 3);
  using Flat = Sequential<Input<3, 4, 6>, Flatten, Linear<72, 60>, Unflatten<5, 3, 4>, BatchNorm2d<5>, ReLU,
                          GlobalAvgPool2d, Linear<5, 2>>;
  Model<Flat> flat(Rng(9));
  estimate(flat);
  write(folder, "flat", flat, 6);
  using Conditional =
      Sequential<Inputs<Input<2, 4, 6>, Input<3>>, SkipConnection<AvgPool2d<2>, Upsample<2>>, Flatten, Linear<240, 7>>;
  write(folder, "conditional", Model<Conditional>(Rng(10)), 4);
}

using Down = Conv2d<8, 16, 4, 2, 1>;
/// A small U-Net: 8 and 16 channels, a residual bottleneck, one connection past it.
using UNet =
    Sequential<Input<3, 16, 24>, Conv2d<3, 8, 3, 1, 1>, BatchNorm2d<8>, LeakyReLU,
               SkipConnection<Down, BatchNorm2d<16>, ReLU,
                              Residual<Conv2d<16, 16, 3, 1, 1>, InstanceNorm2d<16>, SiLU, Conv2d<16, 16, 3, 1, 1>>,
                              ConvTranspose2d<16, 8, 4, 2, 1>, BatchNorm2d<8>, ReLU>,
               Conv2d<16, 1, 3, 1, 1>, Tanh>;
/// A residual network that pads by reflection and ends in classes, beside a head of another kind.
using ResNet = Sequential<
    Input<3, 13, 10>, ReflectionPad2d<1>, Conv2d<3, 12, 3>, PReLU,
    Residual<Conv2d<12, 12, 3, 1, 1>, BatchNorm2d<12>, ELU, Conv2d<12, 12, 3, 1, 1>, BatchNorm2d<12>>, ReLU,
    SpectralNorm<Conv2d<12, 20, 3, 2, 1>>, GELU, Residual<Residual<Conv2d<20, 20, 1>>, Softplus>,
    Parallel<Sequential<GlobalAvgPool2d, SpectralNorm<Linear<20, 5>>>, Sequential<Flatten, Linear<700, 2>, Sigmoid>>>;
/// From a vector to an image, by transposed convolutions with output padding.
using Generator =
    Sequential<Input<10>, ConvTranspose2d<10, 24, 4>, BatchNorm2d<24>, ReLU, ConvTranspose2d<24, 12, 3, 2, 1, 1>,
               BatchNorm2d<12>, ReLU, Upsample<2>, ConvTranspose2d<12, 1, 3, 1, 1>, Tanh>;

void write_convolutions(const std::filesystem::path& folder) {
  Model<UNet> unet(Rng(11));
  estimate(unet);
  write(folder, "unet", unet, 3);
  Model<ResNet> resnet(Rng(12));
  estimate(resnet);
  write(folder, "resnet", resnet, 4);
  Model<Generator> generator(Rng(13));
  estimate(generator);
  write(folder, "generator", generator, 5);
}

}  // namespace

int main(int argc, char** argv) {
  const auto arguments = std::span(argv, static_cast<std::size_t>(argc));
  if (arguments.size() != 2) {
    std::cerr << "usage: onnx_networks FOLDER\n";
    return 2;
  }
  try {
    write_dense(arguments[1]);
    write_images(arguments[1]);
    write_convolutions(arguments[1]);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
