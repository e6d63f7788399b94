#include <doctest/doctest.h>
#include <cstddef>
#include <stdexcept>

#include <eigan/gan/networks.hpp>
#include <eigan/gan/workspace.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/net/model.hpp>

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
    REQUIRE(ws.both(batch).size() == 1);
    const ConstView<float> both = ws.both(batch)[0];
    CHECK(both.rows() == 6);
    CHECK(both.cols() == 2 * batch);
    CHECK((both.leftCols(batch).array() == 1).all());
    CHECK((both.rightCols(batch).array() == 2).all());
    CHECK((ws.real_inputs(batch)[0].array() == 1).all());
    CHECK((ws.fake_inputs(batch)[0].array() == 2).all());
  }
  for (const Index batch : {11, -1}) {
    CHECK_THROWS_AS(ws.real(batch), std::invalid_argument);
    CHECK_THROWS_AS(ws.fake(batch), std::invalid_argument);
    CHECK_THROWS_AS(ws.both(batch), std::invalid_argument);
    CHECK_THROWS_AS(ws.real_inputs(batch), std::invalid_argument);
    CHECK_THROWS_AS(ws.fake_inputs(batch), std::invalid_argument);
  }
  CHECK_THROWS_WITH_AS(ws.real(11), "eigan: this GanWorkspace holds batches of up to 10, got 11",
                       std::invalid_argument);
  CHECK(ws.g_tape.capacity() == 10);
  CHECK(ws.d_tape.capacity() == 20);
  CHECK(ws.g_grad.size() == generator.param_size());
  CHECK(ws.d_grad.size() == discriminator.param_size());
}

TEST_CASE("GanWorkspace: what a discriminator is told besides the image are inputs of their own") {
  const Model<Generator<3, 4, 6>> generator(Rng(1));
  using Told = Sequential<Inputs<Input<6>, Input<2>, Input<3>>, Linear<11, 1>>;
  const Model<Told> discriminator(Rng(2));
  GanWorkspace ws(generator, discriminator, 10);
  ws.real(7).setConstant(1);
  ws.fake(7).setConstant(2);
  ws.real_condition(7).setConstant(3);
  ws.fake_condition(7).setConstant(4);
  ws.real_condition(7, 2).setConstant(5);
  ws.fake_condition(7, 2).setConstant(6);
  CHECK(ws.real_condition(7).rows() == 2);
  CHECK(ws.fake_condition(7, 2).rows() == 3);
  const auto all = [](const ConstView<float>& x, float value) { return (x.array() == value).all(); };
  REQUIRE(ws.both(7).size() == 3);
  for (const int i : {0, 1, 2}) {
    const auto at = static_cast<std::size_t>(i);
    const auto real = static_cast<float>(2 * i + 1), fake = static_cast<float>(2 * i + 2);
    CHECK(all(ws.real_inputs(7)[at], real));
    CHECK(all(ws.fake_inputs(7)[at], fake));
    CHECK(all(ws.both(7)[at].columns(0, 7), real));
    CHECK(all(ws.both(7)[at].columns(7, 7), fake));
  }
  CHECK_THROWS_AS(ws.fake_condition(11), std::invalid_argument);
  CHECK_THROWS_WITH_AS(ws.real_condition(7, 3), "eigan: this GanWorkspace's discriminator has 3 inputs, no number 3",
                       std::invalid_argument);
}

TEST_CASE("GanWorkspace: samples are fresh until they are taken or written over") {
  const Model<Generator<3, 4, 6>> generator(Rng(1));
  const Model<Discriminator<6, 4, 1>> discriminator(Rng(2));
  GanWorkspace ws(generator, discriminator, 10);
  CHECK(ws.take_fresh() == 0);
  ws.set_fresh(4);
  ws.real(4);
  CHECK(ws.take_fresh() == 4);
  CHECK(ws.take_fresh() == 0);
  ws.set_fresh(4);
  ws.real(5);  // reaches into them
  CHECK(ws.take_fresh() == 0);
  ws.set_fresh(4);
  CHECK_THROWS_AS(ws.real(11), std::invalid_argument);
  CHECK(ws.take_fresh() == 4);
}

TEST_CASE("GanWorkspace: samples whose conditions are written over are no longer fresh") {
  const Model<Generator<3, 4, 6>> generator(Rng(1));
  const Model<Sequential<Inputs<Input<6>, Input<2>>, Linear<8, 1>>> discriminator(Rng(2));
  GanWorkspace ws(generator, discriminator, 10);
  const auto fresh_after = [&](const auto& write) {
    ws.set_fresh(4);
    write();
    return ws.take_fresh();
  };
  CHECK(fresh_after([&] { ws.real_condition(4); }) == 4);
  CHECK(fresh_after([&] { ws.real_condition(5); }) == 0);
  CHECK(fresh_after([&] { ws.fake_condition(4); }) == 4);
  CHECK(fresh_after([&] { ws.fake_condition(3); }) == 0);
  CHECK(fresh_after([&] { ws.fake_condition(5); }) == 0);
  CHECK(fresh_after([&] { ws.fake(5); }) == 0);
}

TEST_CASE("GanWorkspace: networks that do not fit together are refused") {
  const Model<Generator<3, 4, 6>> generator(Rng(1));
  const Model<Discriminator<5, 4, 1>> narrow(Rng(2));
  CHECK_THROWS_WITH_AS(GanWorkspace(generator, narrow, 10),
                       "eigan::GanWorkspace: the generator gives 6, the discriminator takes 5", std::invalid_argument);
  // As many numbers, but of another shape.
  const Model<Sequential<Input<6, 1, 1>, Linear<6, 1>>> vectors(Rng(2));
  const Model<Sequential<Input<3, 2, 1>, Tanh>> images(Rng(2));
  CHECK_NOTHROW(GanWorkspace(generator, vectors, 10));
  CHECK_THROWS_WITH_AS(GanWorkspace(generator, images, 10),
                       "eigan::GanWorkspace: the generator gives 6, the discriminator takes 3 x 2 x 1",
                       std::invalid_argument);
  const Model<Discriminator<6, 4, 1>> good(Rng(2));
  CHECK_THROWS_AS(GanWorkspace(generator, good, 0), std::invalid_argument);
  const Model<Discriminator<6, 4, 2>> two(Rng(2));
  CHECK_NOTHROW(GanWorkspace(generator, two, 10));
}
