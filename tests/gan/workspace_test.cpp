#include <doctest/doctest.h>

#include <eigan/gan/networks.hpp>
#include <eigan/gan/workspace.hpp>

using namespace eigan;

TEST_CASE("GanWorkspace: real and fake images lie side by side, so that both are one batch") {
  const Model<Generator<3, 4, 6>> generator(Rng(1));
  const Model<Discriminator<6, 4, 1>> discriminator(Rng(2));
  GanWorkspace ws(generator, discriminator, 10);
  CHECK(ws.capacity() == 10);
  for (const Index batch : {10, 7}) {
    View<float> real = ws.real(batch), fake = ws.fake(batch);
    real.setConstant(1);
    fake.setConstant(2);
    const ConstView<float> both = ws.both(batch);
    CHECK(both.rows() == 6);
    CHECK(both.cols() == 2 * batch);
    CHECK((both.leftCols(batch).array() == 1).all());
    CHECK((both.rightCols(batch).array() == 2).all());
  }
  for (const Index batch : {11, -1}) {
    CHECK_THROWS_AS(ws.real(batch), std::invalid_argument);
    CHECK_THROWS_AS(ws.fake(batch), std::invalid_argument);
    CHECK_THROWS_AS(ws.both(batch), std::invalid_argument);
  }
  CHECK_THROWS_WITH_AS(ws.real(11), "eigan: this GanWorkspace holds batches of up to 10, got 11",
                       std::invalid_argument);
  CHECK(ws.g_tape.capacity() == 10);
  CHECK(ws.d_tape.capacity() == 20);
  CHECK(ws.g_grad.size() == generator.net().param_size());
  CHECK(ws.d_grad.size() == discriminator.net().param_size());
}

TEST_CASE("GanWorkspace: networks that do not fit together are refused") {
  const Model<Generator<3, 4, 6>> generator(Rng(1));
  const Model<Discriminator<5, 4, 1>> narrow(Rng(2));
  CHECK_THROWS_WITH_AS(GanWorkspace(generator, narrow, 10),
                       "eigan::GanWorkspace: the generator gives 6 features, the discriminator takes 5",
                       std::invalid_argument);
  const Model<Discriminator<6, 4, 2>> two(Rng(2));
  CHECK_THROWS_WITH_AS(GanWorkspace(generator, two, 10),
                       "eigan::GanWorkspace: the discriminator must give 1 logit, gives 2", std::invalid_argument);
  const Model<Discriminator<6, 4, 1>> good(Rng(2));
  CHECK_THROWS_AS(GanWorkspace(generator, good, 0), std::invalid_argument);
}
