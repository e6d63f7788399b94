// What was written as C++ has the type, the parameters and the results of what was saved, to the last bit.
#include <cstring>
#include <iostream>
#include <span>
#include <vector>

#include "branches.hpp"
#include "every_layer.hpp"
#include "in_double.hpp"
#include "io/cpp_source/networks.hpp"
#include "without_parameters.hpp"

const void* second_branches();
const void* second_every_layer();
const void* second_in_double();
const void* second_without_parameters();

namespace {

int failures = 0;

void check(bool right, const char* name, const char* what) {
  if (right) return;
  std::cerr << name << ": " << what << '\n';
  ++failures;
}

template <class T>
bool same_bits(std::span<const T> a, std::span<const T> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

template <class T>
void compare(const char* name, const eigan::BasicModel<T>& saved, const eigan::BasicModel<T>& compiled,
             const eigan::BasicModel<T>& own, const void* in_second) {
  check(&compiled == in_second, name, "another model in the second translation unit");
  check(saved.architecture() == compiled.architecture(), name, "another architecture");
  for (const auto* const other : {&compiled, &own}) {
    check(same_bits(saved.params(), other->params()), name, "other parameters");
    check(same_bits(saved.state(), other->state()), name, "another state");
  }
  std::vector<eigan::Matrix<T>> x;
  for (std::size_t i = 0; i < saved.steps().inputs(); ++i)
    eigan::fill_normal<T>(x.emplace_back(saved.input_size(i), 40), 0, 2, eigan::Rng(7 + i));
  const std::vector<eigan::ConstView<T>> views(x.begin(), x.end());
  const eigan::Matrix<T> y = saved.infer(std::span(views)), again = compiled.infer(std::span(views));
  check(y.size() == again.size() &&
            std::memcmp(y.data(), again.data(), static_cast<std::size_t>(y.size()) * sizeof(T)) == 0,
        name, "other results");
}

}  // namespace

int main() {
  compare<float>("branches", networks::branches(), branches::model(), branches::make_model(), second_branches());
  compare<float>("every_layer", networks::every_layer(), compiled::every_layer::model(),
                 compiled::every_layer::make_model(), second_every_layer());
  compare<double>("in_double", networks::in_double(), in_double::model(), in_double::make_model(), second_in_double());
  compare<float>("without_parameters", networks::without_parameters(), without_parameters::model(),
                 without_parameters::make_model(), second_without_parameters());
  return failures;
}
