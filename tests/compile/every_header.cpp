// Uses every public header, compiled with -O3: what a compiler says only of code that it optimises, it says here
// (scripts/check v4). No program: what the headers compute is tested elsewhere.
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <eigan/core/buffer.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/data/batches.hpp>
#include <eigan/data/emnist.hpp>
#include <eigan/data/gather_columns.hpp>
#include <eigan/data/gzip.hpp>
#include <eigan/data/labelled_images.hpp>
#include <eigan/data/load_idx.hpp>
#include <eigan/data/mnist.hpp>
#include <eigan/eigan.hpp>
#include <eigan/io/atomic_file.hpp>
#include <eigan/io/checkpoint.hpp>
#include <eigan/io/cpp_source.hpp>
#include <eigan/io/image_sheet.hpp>
#include <eigan/io/model_file.hpp>
#include <eigan/io/network_file.hpp>
#include <eigan/io/npy.hpp>
#include <eigan/io/onnx.hpp>
#include <eigan/kernels.hpp>
#include <eigan/kernels/gemm.hpp>
#include <eigan/metrics.hpp>
#include <eigan/net/estimate_statistics.hpp>
#include <eigan/net/non_finite.hpp>
#include <eigan/net/runtime/network.hpp>
#include <eigan/net/summary.hpp>
#include <eigan/optim/clip_weights.hpp>
#include <eigan/optim/ema.hpp>
#include <eigan/optim/schedules.hpp>
#include <eigan/optim/sgd.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

namespace every_header {

template <class T>
auto every_layer() {
  return Model<Sequential<Linear<8, 16>, BatchNorm1d<16>, ReLU, Linear<16, 16>, LeakyReLU, Dropout, Linear<16, 8>, Tanh,
                          Linear<8, 4>, Sigmoid>,
               T>(Rng(1));
}

// core, init, losses, net, optim
template <class T>
std::vector<T> train(ConstView<T> x, const std::vector<int>& labels) {
  auto model = every_layer<T>();
  init::he_normal(model.net().template layer<0>().weight(model.template params<0>()), Rng(2));
  init::xavier_uniform(model.net().template layer<3>().weight(model.template params<3>()), Rng(3));
  auto tape = model.tape(x.cols());
  auto gradient = model.zeros();
  Adam<T> adam(gradient.size());
  SGD<T> sgd(gradient.size(), {.lr = 0.1, .momentum = 0.9});
  Ema<T> average(model.params(), 0.99);
  Matrix<T> target(4, x.cols()), dx(8, x.cols());
  fill_uniform<T>(target, 0, 1, Rng(4));
  std::vector<T> losses;
  for (Index step = 0; step < 4; ++step) {
    adam.options().lr = 0.01 * warmup_cosine(step, 4, 1) * linear_decay(step, 4);
    const auto y = model.forward(tape, x, Rng(5), Threads{2});
    losses.push_back(bce<T>(y, target, tape.output_gradient()));
    losses.push_back(bce_with_logits<T>(y, T(1), tape.output_gradient()));
    losses.push_back(cross_entropy<T>(y, std::span<const int>(labels), tape.output_gradient()));
    losses.push_back(mse<T>(y, target, tape.output_gradient()));
    model.backward_input(tape, dx);
    losses.push_back(mse<T>(y, target, tape.output_gradient()));
    backward_and_step(model, tape, adam, gradient);
    sgd.step(model.params(), gradient);
    average.update(model.params());
  }
  estimate_statistics(model, x);
  losses.push_back(model.infer(x).sum() + dx.sum());
  if (find_non_finite(model)) losses.clear();
  return losses;
}

template <class T>
Matrix<T> products(ConstView<T> a, ConstView<T> b) {
  BufferMatrix<T> c(a.rows(), b.cols());
  View<T> all = c.view();
  gemm::product<T>(a, b, all);
  Matrix<T> sum = Matrix<T>::Zero(a.rows(), b.rows());
  gemm::add_outer<T>(all, b, sum);
  return sum;
}

// net
std::string run_time_network(ConstView<float> x, const LayerRegistry& layers) {
  const Model model(Network::from_text("Linear(in_features=8, out_features=4), Tanh()", layers), Rng(1));
  auto tape = model.tape(x.cols());
  return summary(model) + std::to_string(model.forward(tape, x).sum() + model.infer(x).sum());
}

// layers for images, branches
template <class T>
T image_step(ConstView<T> x, ConstView<T> target) {
  using Net = Sequential<Input<1, 8, 8>, ReflectionPad2d<1>, Conv2d<1, 8, 3>, BatchNorm2d<8>, SiLU,
                         SkipConnection<Conv2d<8, 8, 4, 2, 1>, InstanceNorm2d<8>, GELU,
                                        Residual<Conv2d<8, 8, 3, 1, 1>, ELU, Conv2d<8, 8, 3, 1, 1>>,
                                        ConvTranspose2d<8, 8, 4, 2, 1>, Softplus>,
                         MaxPool2d<2>, Upsample<2>, LayerNorm<16, 8, 8>, PReLU, AvgPool2d<2>,
                         Parallel<GlobalAvgPool2d, Sequential<Flatten, Linear<256, 3>>>>;
  Model<Net, T> model(Rng(1));
  auto tape = model.tape(x.cols());
  auto gradient = model.zeros();
  AdamW<T> adamw(gradient.size());
  RMSprop<T> rmsprop(gradient.size());
  const auto y = model.forward(tape, x);
  const T loss = l1<T>(y, target, tape.output_gradient()) + huber<T>(y, target, tape.output_gradient());
  backward_and_step(model, tape, adamw, gradient);
  rmsprop.step(model.params(), gradient);
  clip_weights(model.params(), 10);
  update_statistics(model, tape);
  return loss + model.infer(x).sum() + model.at(Shape{1, 8, 8}).infer(x).sum();
}

// gan
float adversarial_step(ConstView<float> real) {
  Model g(make_normalized_generator<8, 16, 8>(), Rng(1));
  Model d(make_discriminator<8, 16, 1>(), Rng(2));
  Adam g_adam(g.param_size()), d_adam(d.param_size());
  GanWorkspace workspace(g, d, real.cols());
  GradientPenalty penalty(d, real.cols());
  penalty.add_r1(d, real, 1.f, workspace.d_grad, Rng(3));
  Matrix<float> z(8, real.cols());
  fill_normal<float>(z, 0, 1, Rng(4));
  const auto about_d =
      discriminator_step(g, d, d_adam, workspace, real, z, Rng(5), NonSaturatingLoss{.real_label = 0.9});
  return about_d.loss + generator_step(g, d, g_adam, workspace, z, Rng(6)).loss;
}

// metrics
double judge(ConstView<float> a, ConstView<float> b) {
  const auto counted = metrics::class_shares(a);
  return metrics::frechet_distance(a, b) + metrics::density_coverage(a, b).coverage +
         metrics::inception_score(a).score + metrics::mean_distance(metrics::nearest_neighbours(a, b)) +
         metrics::parzen(a, b, b).log_likelihood.mean + metrics::precision_recall(a, b).recall +
         metrics::total_variation(counted, counted);
}

// data
float read_data(const std::filesystem::path& folder) {
  const LabelledImages images = load_mnist(folder, Split::train);
  FileSource packed(folder / "images.gz");
  GunzipSource unzipped(packed);
  const IdxImages others = read_idx_images(unzipped);
  write_idx_images(folder / "images", others);
  Batches batches(images.count, 16, Rng(1));
  batches.start_epoch(0);
  const auto indices = batches.indices(0);
  Matrix<float> x(images.features(), 16);
  pixels_to_unit<float>(images, indices, x);
  std::vector<int> labels(16);
  gather_labels(images, indices, labels);
  pixels_to_zero_one(images, indices, View<float>(x));
  gather_columns(x, indices, View<float>(x));
  return x.sum();
}

// io
void files(const std::filesystem::path& folder) {
  auto model = every_layer<float>();
  save(folder / "model.safetensors", model);
  load(folder / "model.safetensors", model);
  save_onnx(folder / "model.onnx", model);
  save_cpp_source(folder / "model.hpp", model, "model");
  const auto state = [&](auto visit) { visit("model", model); };
  save_checkpoint(folder / "checkpoint.safetensors", state);
  load_checkpoint(folder / "checkpoint.safetensors", state);
  const std::vector<float> values = read_npy(folder / "x.npy").values<float>();
  const ConstView<float> x(values.data(), 8, std::ssize(values) / 8);
  write_npy<float>(folder / "x.npy", x);
  write_image_sheet<float>(folder / "x.png", x);
  write_file(folder / "text", printable("text"));
}

// testing
bool gradients_are_right() {
  return testing::check_gradients(Linear<3, 4>()).ok() && testing::check_gradients(BatchNorm1d<4>()).ok() &&
         testing::check_gradients(Dropout(0.5)).ok();
}

template std::vector<float> train(ConstView<float>, const std::vector<int>&);
template std::vector<double> train(ConstView<double>, const std::vector<int>&);
template float image_step(ConstView<float>, ConstView<float>);
template double image_step(ConstView<double>, ConstView<double>);
template Matrix<float> products(ConstView<float>, ConstView<float>);
template Matrix<double> products(ConstView<double>, ConstView<double>);

}  // namespace every_header
