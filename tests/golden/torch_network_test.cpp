// State dictionaries of a PyTorch network, in single and in half precision: loaded, it computes what PyTorch computes.
#include <doctest/doctest.h>

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <eigan/io/model_file.hpp>

#include "golden/torch_network.hpp"

using namespace eigan;

namespace {

std::filesystem::path file(const std::string& name) {
  return std::filesystem::path(EIGAN_GOLDEN_FIXTURES) / ("torch_network" + name + ".safetensors");
}

/// Samples of the fixture, a column each.
Matrix<float> samples(const std::string& name) {
  const auto fixture = SafetensorsFile::read(file(""));
  const TensorInfo* const tensor = fixture.find(name);
  REQUIRE(tensor != nullptr);
  Matrix<float> columns(static_cast<Index>(tensor->shape[1]), static_cast<Index>(tensor->shape[0]));
  fixture.copy_to(*tensor, std::span(columns.data(), static_cast<std::size_t>(columns.size())));
  return columns;
}

void check(const std::string& state, const std::string& outputs) {
  auto model = test::torch_network();
  load(file(state), model);
  const Matrix<float> planar = samples("x"), expected = samples(outputs);
  Matrix<float> x(planar.rows(), planar.cols());
  from_planar<float>(planar, x, model.input_shape());
  const float apart = (model.infer(x) - expected).cwiseAbs().maxCoeff();
  MESSAGE(outputs, ": ", apart);
  CHECK(apart < 1e-5f);
}

}  // namespace

TEST_CASE("a PyTorch network's file gives PyTorch's outputs") {
  check(".state", "y");
}

TEST_CASE("the same in half precision") {
  check(".half", "y_half");
  CHECK((samples("y") - samples("y_half")).cwiseAbs().maxCoeff() > 1e-5f);  // other weights, a little
}
