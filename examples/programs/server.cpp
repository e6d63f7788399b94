// A server's threads share a network that PyTorch trained and saved as safetensors. Its answers are compared with
// PyTorch's own, which lie in a second file.
//   server WEIGHTS ANSWERS
#include <iostream>
#include <thread>
#include <vector>

#include <eigan/eigan.hpp>
#include <eigan/io/model_file.hpp>
#include <eigan/io/safetensors.hpp>

using namespace eigan;

/// A matrix of the file: rows are samples there and columns here, which is the same memory.
Matrix<float> read(const SafetensorsFile& file, const char* name) {
  const TensorInfo& tensor = *file.find(name);
  Matrix<float> columns(static_cast<Index>(tensor.shape[1]), static_cast<Index>(tensor.shape[0]));
  file.copy_to(tensor, std::span(columns.data(), static_cast<std::size_t>(columns.size())));
  return columns;
}

int main(int, char** argv) {
  using Net = Sequential<Linear<20, 33>, LeakyReLU, Linear<33, 17>, ReLU, Linear<17, 9>, Tanh, Linear<9, 3>, Sigmoid>;
  Model<Net> model(Net({}, LeakyReLU(0.2), {}, {}, {}, {}, {}, {}), Rng(1));
  load(argv[1], model);
  const auto file = SafetensorsFile::read(argv[2]);
  const Matrix<float> requests = read(file, "x"), expected = read(file, "y");

  Matrix<float> answers(3, requests.cols());
  const auto serve = [&](Index first, Index step) {  // one of several threads: each has its own scratch
    auto scratch = model.scratch();
    for (Index j = first; j < requests.cols(); j += step) model.infer(requests.col(j), answers.col(j), scratch);
  };
  std::vector<std::thread> threads;
  for (Index i = 0; i < 4; ++i) threads.emplace_back(serve, i, 4);
  for (std::thread& thread : threads) thread.join();
  const float difference = (answers - expected).cwiseAbs().maxCoeff();
  std::clog << "largest difference " << difference << '\n';
  std::cout << requests.cols() << " answers as PyTorch's: " << std::boolalpha << (difference < 1e-5f) << '\n';
}
