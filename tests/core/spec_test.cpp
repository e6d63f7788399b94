#include <doctest/doctest.h>
#include <stdexcept>

#include <eigan/core/spec.hpp>

using eigan::Spec;

TEST_CASE("Spec: its text has every digit, sizes without a point, and what a composition holds") {
  const Spec linear{"Linear", {{"in_features", 3}, {"out_features", 2048}}};
  const Spec leaky{"LeakyReLU", {{"negative_slope", 0.3333333333333333}}};
  CHECK(linear.text() == "Linear(in_features=3, out_features=2048)");
  CHECK(leaky.text() == "LeakyReLU(negative_slope=0.3333333333333333)");
  const Spec residual{"Residual", {}, {}, {}, {linear, leaky, {"Tanh"}}};
  CHECK(residual.text() ==
        "Residual(Linear(in_features=3, out_features=2048), LeakyReLU(negative_slope=0.3333333333333333), Tanh())");
  const Spec flag{"Conv2d", {{"bias", true}}};
  CHECK(flag.text() == "Conv2d(bias=1)");
}

TEST_CASE("Spec: settings by name") {
  const Spec dropout{"Dropout", {{"p", 0.25}}};
  CHECK(dropout["p"] == 0.25);
  CHECK((Spec{"Linear", {{"in_features", 1 << 20}}}.size("in_features")) == 1 << 20);
  CHECK_THROWS_WITH_AS(dropout["q"], "eigan::Spec: Dropout has no setting 'q'", std::invalid_argument);
}
