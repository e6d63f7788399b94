// write FOLDER: the networks as headers.
#include <filesystem>
#include <iostream>

#include <eigan/io/cpp_source.hpp>

#include "io/cpp_source/networks.hpp"

int main(int, char** arguments) {
  try {
    const std::filesystem::path folder = arguments[1];
    eigan::save_cpp_source(folder / "branches.hpp", networks::branches(), "branches");
    eigan::save_cpp_source(folder / "every_layer.hpp", networks::every_layer(), "compiled::every_layer");
    eigan::save_cpp_source(folder / "in_double.hpp", networks::in_double(), "in_double");
    eigan::save_cpp_source(folder / "without_parameters.hpp", networks::without_parameters(), "without_parameters");
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
