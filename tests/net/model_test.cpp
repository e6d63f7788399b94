#include <doctest/doctest.h>

#include <eigan/eigan.hpp>
#include <eigan/testing/check_gradients.hpp>

using namespace eigan;

TEST_CASE("Model: a discriminator's gradients through dropout") {
  Model<Discriminator<dynamic, dynamic, dynamic, dynamic>, double> model(
      make_discriminator(std::array<Index, 4>{7, 9, 5, 1}), Rng(3));
  const auto report = testing::check_model(
      model, [](ConstView<double> z, View<double> dz) { return bce_with_logits<double>(z, 0.9, dz); });
  INFO(report.text());
  CHECK(report.ok());
  CHECK(report.compared() > 200);
}
