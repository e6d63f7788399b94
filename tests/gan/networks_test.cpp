#include <doctest/doctest.h>
#include <array>
#include <string>
#include <type_traits>

#include <eigan/gan/networks.hpp>
#include <eigan/net/model.hpp>

#include "support.hpp"

using namespace eigan;

static_assert(std::is_same_v<Generator<3, 4, 5>, Sequential<Linear<3, 4>, LeakyReLU, Dropout, Linear<4, 5>, Tanh>>);
static_assert(
    std::is_same_v<Discriminator<5, 4, 3, 1>,
                   Sequential<Linear<5, 4>, LeakyReLU, Dropout, Linear<4, 3>, LeakyReLU, Dropout, Linear<3, 1>>>);
static_assert(std::is_same_v<NormalizedGenerator<3, 4, 5>,
                             Sequential<Linear<3, 4>, BatchNorm1d<4>, LeakyReLU, Linear<4, 5>, Tanh>>);
static_assert(std::is_same_v<Generator<3, 5>, Sequential<Linear<3, 5>, Tanh>>);
static_assert(std::is_same_v<Discriminator<5, 1>, Sequential<Linear<5, 1>>>);

TEST_CASE("Generator and Discriminator: the sizes of the original networks") {
  const Model generator(make_generator<100, 32, 64, 128, 784>(), Rng(1));
  CHECK(generator.input_size() == 100);
  CHECK(generator.output_size() == 784);
  CHECK(generator.param_size() == 100 * 32 + 32 + 32 * 64 + 64 + 64 * 128 + 128 + 128 * 784 + 784);
  const Model discriminator(make_discriminator<784, 128, 64, 32, 1>(), Rng(1));
  CHECK(discriminator.input_size() == 784);
  CHECK(discriminator.output_size() == 1);
  CHECK(discriminator.param_size() == 784 * 128 + 128 + 128 * 64 + 64 + 64 * 32 + 32 + 32 + 1);
}

/// Of a network.
template <class Net>
static std::string architecture(Net net) {
  return Model<Net>(net, Rng(1)).architecture();
}

TEST_CASE("Generator and Discriminator: every hidden layer gets the options") {
  CHECK(architecture(make_generator<3, 4, 5, 6>({.negative_slope = 0.1, .dropout = 0.25})) ==
        "Linear(in_features=3, out_features=4), LeakyReLU(negative_slope=0.1), Dropout(p=0.25), "
        "Linear(in_features=4, out_features=5), LeakyReLU(negative_slope=0.1), Dropout(p=0.25), "
        "Linear(in_features=5, out_features=6), Tanh()");
  CHECK(architecture(make_discriminator<6, 4, 1>()) ==
        "Linear(in_features=6, out_features=4), LeakyReLU(negative_slope=0.2), Dropout(p=0.3), "
        "Linear(in_features=4, out_features=1)");
}

TEST_CASE("NormalizedGenerator: a normalisation and an activation on every hidden layer") {
  const auto generator = make_normalized_generator<3, 4, 5, 6>({.negative_slope = 0.1});
  CHECK(architecture(generator) ==
        "Linear(in_features=3, out_features=4), BatchNorm1d(num_features=4, eps=1e-05), LeakyReLU(negative_slope=0.1), "
        "Linear(in_features=4, out_features=5), BatchNorm1d(num_features=5, eps=1e-05), LeakyReLU(negative_slope=0.1), "
        "Linear(in_features=5, out_features=6), Tanh()");
}

TEST_CASE("Generator and Discriminator: sizes at run time give the same networks, to the last bit") {
  const auto check = [](const auto& fixed, const auto& free) {
    CHECK(fixed.architecture() == free.architecture());
    CHECK(support::same_bits<float>(fixed.params(), free.params()));
    const Matrix<float> x = support::random_matrix<float>(fixed.input_size(), 5, 2);
    auto fixed_tape = fixed.tape(5);
    auto free_tape = free.tape(5);
    CHECK(fixed.forward(fixed_tape, x, Rng(3)) == free.forward(free_tape, x, Rng(3)));
  };
  check(Model<Generator<7, 9, 8, 12>>(make_generator<7, 9, 8, 12>({.dropout = 0.4}), Rng(1)),
        Model<Generator<dynamic, dynamic, dynamic, dynamic>>(
            make_generator(std::array<Index, 4>{7, 9, 8, 12}, {.dropout = 0.4}), Rng(1)));
  check(Model<NormalizedGenerator<7, 9, 12>>(Rng(1)),
        Model<NormalizedGenerator<dynamic, dynamic, dynamic>>(
            make_normalized_generator(std::array<Index, 3>{7, 9, 12}, {.negative_slope = 0.01}), Rng(1)));
  check(Model<Discriminator<12, 8, 1>>(make_discriminator<12, 8, 1>(), Rng(1)),
        Model<Discriminator<dynamic, dynamic, dynamic>>(make_discriminator(std::array<Index, 3>{12, 8, 1}), Rng(1)));
}
