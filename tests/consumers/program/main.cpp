// Uses what train.cpp has trained, and meets a bad file. Prints what it saw, and how it was compiled.
#include <fstream>
#include <iostream>

#include <eigan/io/model_file.hpp>

#include "network.hpp"

int main() {
  eigan::Model<Net> model = train_xor();
  const eigan::Matrix<float> z = model.infer(eigan::Matrix<float>{{0, 0, 1, 1}, {0, 1, 0, 1}});
  std::cout << "xor:";
  for (const float logit : z.reshaped()) std::cout << ' ' << (logit > 0);

  std::ofstream("bad.safetensors") << "These are no tensors.";
  try {
    eigan::load("bad.safetensors", model);
    std::cout << "\nloaded what is no model";
  } catch (const eigan::Error&) {
    std::cout << "\nrefused a bad file";
  }

#if defined(_OPENMP)
  const char* const openmp = "ON";
#else
  const char* const openmp = "OFF";
#endif
  std::cout << "\nOpenMP " << openmp << ", C++" << (__cplusplus > 202002L ? 23 : 20) << ", eigan " << eigan::version
            << '\n';
}
