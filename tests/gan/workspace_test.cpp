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

TEST_CASE("GanWorkspace: a wider discriminator has room for a condition behind the image") {
  const Model<Generator<3, 4, 6>> generator(Rng(1));
  const Model<Discriminator<8, 4, 1>> discriminator(Rng(2));
  GanWorkspace ws(generator, discriminator, 10);
  ws.real(7).setConstant(1);
  ws.fake(7).setConstant(2);
  ws.fake_condition(7).setConstant(3);
  CHECK(ws.real(7).rows() == 8);
  CHECK(ws.fake(7).rows() == 6);
  CHECK(ws.fake_condition(7).rows() == 2);
  CHECK((ws.both(7).leftCols(7).array() == 1).all());
  CHECK((ws.fake_input(7).topRows(6).array() == 2).all());
  CHECK((ws.fake_input(7).bottomRows(2).array() == 3).all());
  CHECK(ws.input_gradient(7).rows() == 8);
  CHECK(ws.input_gradient(7).cols() == 7);
  CHECK_THROWS_AS(ws.fake_condition(11), std::invalid_argument);
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
