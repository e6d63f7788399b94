// What was written as C++ has the type, the parameters and the results of what was saved, to the last bit.
#include <cstring>
#include <iostream>
#include <type_traits>

#include "every_layer.hpp"
#include "in_double.hpp"
#include "io/cpp_source/networks.hpp"
#include "without_parameters.hpp"

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

template <class Net, class T>
void compare(const char* name, const eigan::Model<Net, T>& saved, const eigan::Model<Net, T>& compiled,
             eigan::Model<Net, T> own, const void* in_second) {
  check(&compiled == in_second, name, "another model in the second translation unit");
  check(saved.architecture() == compiled.architecture(), name, "another architecture");
  const auto same_params = [&](const eigan::Model<Net, T>& other) {
    return saved.params().size() == other.params().size() &&
           (saved.params().empty() ||
            std::memcmp(saved.params().data(), other.params().data(), saved.params().size_bytes()) == 0);
  };
  check(same_params(compiled), name, "other parameters");
  check(same_params(own), name, "other parameters in a model of one's own");
  eigan::Matrix<T> x(saved.net().input_size(), 40);
  eigan::fill_normal<T>(x, 0, 2, eigan::Rng(7));
  const eigan::Matrix<T> y = saved.infer(x);
  check(std::memcmp(y.data(), compiled.infer(x).eval().data(), static_cast<std::size_t>(y.size()) * sizeof(T)) == 0,
        name, "other results");
}

}  // namespace

int main() {
  compare("every_layer", networks::every_layer(), compiled::every_layer::model(), compiled::every_layer::make_model(),
          second_every_layer());
  compare("in_double", networks::in_double(), in_double::model(), in_double::make_model(), second_in_double());
  compare("without_parameters", networks::without_parameters(), without_parameters::model(),
          without_parameters::make_model(), second_without_parameters());
  return failures;
}
