// The guide's chapters about training: each region is shown there.
#include <doctest/doctest.h>

#include <filesystem>
#include <limits>
#include <vector>

#include <eigan/data/batches.hpp>
#include <eigan/data/emnist.hpp>
#include <eigan/data/gather_columns.hpp>
#include <eigan/data/idx.hpp>
#include <eigan/data/mnist.hpp>
#include <eigan/eigan.hpp>
#include <eigan/io/npy.hpp>

#include "io/support.hpp"

using namespace eigan;

namespace {

using Net = Sequential<Linear<4, 16>, ReLU, Linear<16, 3>>;

Matrix<float> some(Index rows, Index cols, std::uint64_t seed) {
  Matrix<float> m(rows, cols);
  fill_uniform<float>(m, -1, 1, Rng(seed));
  return m;
}

}  // namespace

TEST_CASE("guide: clipping") {
  Model<Net> model(Rng(1));
  auto tape = model.tape(8);
  auto gradient = model.zeros();
  Adam adam(gradient.size());
  const auto x = some(4, 8, 1), target = some(3, 8, 2);
  // [clip]
  const auto y = model.forward(tape, x);
  mse<float>(y, target, tape.output_gradient());
  const double norm = backward_and_step(model, tape, adam, gradient, {.norm = 1});  // it had this norm
  // [/clip]
  CHECK(norm > 0);
}

TEST_CASE("guide: validation") {
  const auto images = some(4, 100, 1), unseen = some(4, 30, 2);
  std::vector<int> labels(100), unseen_labels(30);
  for (Index j = 0; j < 100; ++j) labels[static_cast<std::size_t>(j)] = images(0, j) > 0 ? 1 : 0;
  for (Index j = 0; j < 30; ++j) unseen_labels[static_cast<std::size_t>(j)] = unseen(0, j) > 0 ? 1 : 0;
  // [validation]
  Model<Net> model(Rng(1)), best = model.clone();
  auto tape = model.tape(25);
  auto gradient = model.zeros();
  AdamW adamw(gradient.size(), {.lr = 0.01, .weight_decay = 0.01});
  Batches batches(images.cols(), 25, Rng(2));
  Matrix<float> x(4, 25);
  std::vector<int> answers(25);

  float least = std::numeric_limits<float>::infinity();
  for (Index epoch = 0, waited = 0; epoch < 200 && waited < 10; ++epoch, ++waited) {
    batches.start_epoch(epoch);
    for (Index b = 0; b < batches.size(); ++b) {
      const auto indices = batches.indices(b);
      const auto logits = model.forward(tape, gather_columns(images, indices, View<float>(x)));
      cross_entropy<float>(logits, gather<int>(labels, indices, answers), tape.output_gradient());
      backward_and_step(model, tape, adamw, gradient);
    }
    const float loss = cross_entropy<float>(model.infer(unseen), unseen_labels);  // no gradient
    if (loss < least) {
      least = loss, waited = 0;
      copy_parameters(model, best);
    }
  }
  const double right = metrics::accuracy<float>(best.infer(unseen), unseen_labels);
  const std::vector<Index> classes = metrics::argmax<float>(best.infer(unseen));
  // [/validation]
  CHECK(right > 0.8);
  CHECK(classes.size() == 30);
}

TEST_CASE("guide: weights of samples") {
  Model<Net> model(Rng(1));
  auto tape = model.tape(3);
  const auto x = some(4, 3, 1), target = some(3, 3, 2);
  const auto y = model.forward(tape, x);
  // [weights]
  const std::vector<float> weights{1, 0.5f, 2};  // one a sample
  const float loss = mse<float>(y, target, tape.output_gradient(), weights);
  // [/weights]
  CHECK(loss > 0);
}

TEST_CASE("guide: arrays of NumPy, MNIST") {
  const test::TemporaryFolder folder;
  write_npy<float>(folder / "x.npy", some(4, 10, 1));
  write_npy<float>(folder / "labels.npy", some(1, 10, 2));
  const std::string path = (folder / "x.npy").string(), mnist = folder.path().string();
  // [npy]
  const NpyArray array = read_npy(path);
  const Matrix<float> samples = array.samples<float>();      // the first index counts samples: each is a column
  const std::vector<float> numbers = array.values<float>();  // in C order; values<int>() of integers, such as labels
  // [/npy]
  CHECK(samples.cols() == 10);
  CHECK(numbers.size() == 40);
  const auto load = [&] {
    // [mnist]
    const LabelledImages train = load_mnist(mnist, Split::train);  // or load_emnist(folder, "letters", Split::train)
    Batches batches(train.count, 64, Rng(1));
    Matrix<float> x(train.features(), 64);
    std::vector<int> labels(64);
    pixels_to_zero_one(train, batches.indices(0), View<float>(x));  // pixels_to_unit: from -1 to 1
    gather_labels(train, batches.indices(0), labels);
    // [/mnist]
  };
  CHECK_THROWS_AS(load(), Error);
}

TEST_CASE("guide: output bound to memory of one's own") {
  const Model<Sequential<Linear<4, 16>, Tanh>> encoder(Rng(1));
  const Model<Sequential<Linear<16, 4>>> decoder(Rng(2));
  const auto x = some(4, 5, 1);
  // [bind]
  Matrix<float> code(16, 5);
  auto encoding = encoder.tape(5), decoding = decoder.tape(5);
  encoding.bind_output(code);  // forward writes there
  encoder.forward(encoding, x);
  decoder.forward(decoding, code);
  mse<float>(decoding.output(), x, decoding.output_gradient());
  decoder.backward_input(decoding, encoding.output_gradient());  // the decoder's dx is the encoder's dy
  auto gradient = encoder.zeros();
  encoder.backward_params(encoding, gradient);
  // [/bind]
  CHECK(gradient[0] != 0);
}

TEST_CASE("guide: Jacobian") {
  const Model<Sequential<Linear<4, 3>>> model(Rng(1));
  const Eigen::VectorXf x = some(4, 1, 1);
  // [jacobian]
  auto tape = model.tape(3);                       // as many samples as the network has outputs
  const Matrix<float> copies = x.replicate(1, 3);  // all the same
  model.forward(tape, copies);
  tape.output_gradient().setIdentity();  // of copy i the gradient of output i
  Matrix<float> transposed(4, 3);
  model.backward_input(tape, transposed);
  const Matrix<float> jacobian = transposed.transpose();  // outputs x inputs
  // [/jacobian]
  const ConstView<float> weight = model.net().layer<0>().weight(model.params());
  CHECK(jacobian.isApprox(weight, 1e-6f));
}
