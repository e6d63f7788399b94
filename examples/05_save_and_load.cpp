// Lesson 5: saving a model, here and in PyTorch.
//
// save() writes a safetensors file: a header that names every tensor, then the numbers. The names and shapes are those
// of torch.nn.Sequential, so PyTorch reads the file into the same network without a word of translation:
//     net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
//     net.load_state_dict(safetensors.torch.load_file("05_save_and_load.safetensors"))
// and load() reads what PyTorch has written. The file is written under another name and then renamed, so a
// reader sees the old model or the new one, never half of one.
//
// A file comes from outside, so anything may be in it. Whatever is wrong, load() throws an eigan::Error whose text
// says in one line what was expected and what was found, and leaves the model as it was.
#include <iostream>

#include <eigan/eigan.hpp>
#include <eigan/io/model_file.hpp>

using namespace eigan;

int main() {
  // [save]
  const Model<Sequential<Linear<2, 3>, Tanh, Linear<3, 1>>> model(Rng(1));
  save("05_save_and_load.safetensors", model);

  Model<Sequential<Linear<2, 3>, Tanh, Linear<3, 1>>> copy(Rng(2));  // other weights, until the file is read
  load("05_save_and_load.safetensors", copy);
  // [/save]
  const Matrix<float> x{{1, 2}, {3, 4}};
  std::cout << "Both models give the same: " << std::boolalpha << (model.infer(x) == copy.infer(x)) << '\n';

  // What is in the file.
  const auto file = SafetensorsFile::read("05_save_and_load.safetensors");
  for (const TensorInfo& tensor : file.tensors()) {
    std::cout << tensor.name << " [";
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) std::cout << (i == 0 ? "" : ", ") << tensor.shape[i];
    std::cout << "]\n";
  }

  // Into another network it does not go.
  Model<Sequential<Linear<2, 4>, Tanh, Linear<4, 1>>> wider(Rng(1));
  try {
    load("05_save_and_load.safetensors", wider);
  } catch (const Error& error) {
    std::cout << error.what() << '\n';
  }
}
