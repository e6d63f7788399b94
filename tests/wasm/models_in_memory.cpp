// Models without files: a network is written to memory, put together from what stands there, and gives the same
// numbers.
#include <cstddef>
#include <cstdio>
#include <vector>

#include <eigan/eigan.hpp>
#include <eigan/io/network_file.hpp>

using namespace eigan;

int main() {
  const Model written(Sequential(Input<>(1, 8, 8), Conv2d<>(1, 4, 4, 2, 1), InstanceNorm2d<>(4), Residual(Tanh()),
                                 SkipConnection(Conv2d<>(4, 2, 3, 1, 1)), ConvTranspose2d<>(6, 1, 4, 2, 1), Sigmoid()),
                      Rng(1));
  const std::vector<std::byte> bytes = model_bytes(written, {{"made", "by a test"}});
  const SafetensorsFile file(bytes, "memory");
  Model read(load_network(file), Rng(2));
  load(file, read);

  Matrix<float> x(64, 3);
  fill_uniform<float>(x, -1, 1, Rng(3));
  const bool same = written.infer(x) == read.infer(x);
  std::printf("%s, made %s: %s numbers\n", file.metadata().at("architecture").c_str(),
              file.metadata().at("made").c_str(), same ? "the same" : "other");
  return same ? 0 : 1;
}
