// Lesson 8: branches, and images.
//
// A network need not be a row of layers. Residual<...> gives x + f(x), SkipConnection<...> gives x and f(x) side by
// side, Parallel<a, b> gives a(x) and b(x) side by side; each stands in a Sequential like a layer and may hold others.
// This one is a small U-Net (Ronneberger et al. 2015): the way down halves the image and sees far, the way up doubles
// it again, and what the skip carries past them keeps the details.
//
// Input<channels, height, width> says what a sample is; the layers behind follow, and one that does not fit does not
// compile. A sample is still a column. An image lies in it pixel by pixel, the channels of a pixel side by side, as in
// PNG files; PyTorch has all of the first channel first, and from_planar and to_planar convert.
//
// The network learns to clean images: squares and crosses with noise go in, squares and crosses shall come out.
#include <algorithm>
#include <cstdint>
#include <iomanip>
#include <iostream>

#include <eigan/eigan.hpp>

using namespace eigan;

constexpr Index side = 16;

// [network]
using Net = Sequential<Input<1, side, side>,                   //
                       Conv2d<1, 8, 3, 1, 1>, LeakyReLU,       // 8 x 16 x 16
                       SkipConnection<Conv2d<8, 16, 4, 2, 1>,  // 16 x 8 x 8
                                      LeakyReLU,               //
                                      Residual<Conv2d<16, 16, 3, 1, 1>, LeakyReLU, Conv2d<16, 16, 3, 1, 1>>,
                                      ConvTranspose2d<16, 8, 4, 2, 1>, LeakyReLU>,  // back to 8 x 16 x 16
                       Conv2d<16, 1, 3, 1, 1>>;  // the skip's 8 channels and the way's 8
// [/network]

// A square or a cross, somewhere.
void draw(Matrix<float>& images, Rng rng) {
  images.setConstant(-1);
  for (Index j = 0; j < images.cols(); ++j) {
    const auto random = [&](Index i, Index below) {
      return static_cast<Index>(rng.uniform(i, j) * static_cast<double>(below));
    };
    const bool cross = random(0, 2) == 1;
    const Index size = 5 + random(1, 5), top = random(2, side - size), left = random(3, side - size);
    for (Index a = 0; a < size; ++a)
      for (Index b = 0; b < size; ++b)
        if (cross ? a == size / 2 || b == size / 2 : a % (size - 1) == 0 || b % (size - 1) == 0)
          images((top + a) * side + left + b, j) = 1;
  }
}

void print(const Matrix<float>& noisy, const Matrix<float>& cleaned) {
  for (Index row = 0; row < side; ++row) {
    for (const auto* image : {&noisy, &cleaned}) {
      for (Index column = 0; column < side; ++column) {
        const float value = (*image)(row * side + column, 0);
        std::cout << " .:+#"[std::clamp(static_cast<int>((value + 1) * 2.5f), 0, 4)];
      }
      std::cout << "    ";
    }
    std::cout << '\n';
  }
}

int main() {
  constexpr Index batch = 32;
  const Rng rng(1);
  Model<Net> model(rng.fold_in(0));
  auto tape = model.tape(batch);
  auto gradient = model.zeros();
  Adam adam(gradient.size(), {.lr = 0.005});

  Matrix<float> clean(side * side, batch), noise(side * side, batch), noisy;
  const auto make = [&](Rng now) {
    draw(clean, now.fold_in(0));
    fill_normal<float>(noise, 0, 0.7, now.fold_in(1));
    noisy = clean + noise;
  };
  for (std::uint64_t step = 0; step < 300; ++step) {
    make(rng.fold_in(1).fold_in(step));
    const auto y = model.forward(tape, noisy);
    const float loss = mse<float>(y, clean, tape.output_gradient());
    backward_and_step(model, tape, adam, gradient);
    if (step % 100 == 0)
      std::cout << "step " << step << ": squared error " << std::fixed << std::setprecision(2) << loss << '\n';
  }

  make(rng.fold_in(2));
  const Matrix<float> cleaned = model.infer(noisy);
  print(noisy, cleaned);
  const auto error = [&](const Matrix<float>& images) {
    return (images - clean).squaredNorm() / static_cast<float>(clean.size());
  };
  std::cout << "squared error " << error(noisy) << " before, " << error(cleaned) << " after\n";

  // The same weights clean larger images: only the input's shape is another.
  const auto larger = model.at(Shape{1, 2 * side, 3 * side});
  std::cout << "an image of " << shape_text(larger.input_shape()) << " gives one of "
            << shape_text(larger.output_shape()) << '\n';
}
