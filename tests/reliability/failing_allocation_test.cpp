// Memory runs out at any one of the allocations of a training step, a save or a load: std::bad_alloc reaches the
// caller, nothing has leaked, and everything is as it was and of further use.
#include <doctest/doctest.h>
#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <new>
#include <string>
#include <vector>

#include <eigan/data/idx.hpp>
#include <eigan/gan/gradient_penalty.hpp>
#include <eigan/gan/networks.hpp>
#include <eigan/gan/steps.hpp>
#include <eigan/io/checkpoint.hpp>
#include <eigan/io/model_file.hpp>
#include <eigan/io/npy.hpp>
#include <eigan/net/estimate_statistics.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/runtime/network.hpp>
#include <eigan/optim/adam.hpp>

#include "allocations.hpp"
#include "io/support.hpp"
#include "net/networks.hpp"
#include "support.hpp"

using namespace eigan;

namespace {

using G = Generator<5, 7, 6>;
using D = Discriminator<6, 7, 1>;

struct Networks {
  Model<G> generator{Rng(1)};
  Model<D> discriminator{Rng(2)};

  bool same_bits(const Networks& other) const {
    return support::same_bits<float>(generator.params(), other.generator.params()) &&
           support::same_bits<float>(discriminator.params(), other.discriminator.params());
  }
};

struct Memory {
  GanWorkspace<float> workspace;
  Adam<float> g_adam, d_adam;

  explicit Memory(const Networks& networks)
      : workspace(networks.generator, networks.discriminator, 8),
        g_adam(networks.generator.param_size()),
        d_adam(networks.discriminator.param_size()) {}

  void step(Networks& networks, const Matrix<float>& real, const Matrix<float>& z) {
    discriminator_step(networks.generator, networks.discriminator, d_adam, workspace, real, z, Rng(3),
                       NonSaturatingLoss(), Threads{1});
    generator_step(networks.generator, networks.discriminator, g_adam, workspace, z, Rng(4), NonSaturatingLoss(),
                   Threads{1});
  }
};

std::ptrdiff_t open_files() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

/// Calls action() with its first allocation failing, then with its second, and so on to the last, and after each
/// failure check(). Returns how many there were.
template <class Action, class Check>
int fail_each(const Action& action, const Check& check) {
  const auto files = open_files();
  for (int n = 0;; ++n) {
    CAPTURE(n);
    const long live = support::live_allocations();
    bool happened = false, thrown = false;
    {
      const support::FailingAllocation failing(n);
      try {
        action();
      } catch (const std::bad_alloc&) {
        thrown = true;
      }
      happened = failing.happened();
    }
    if (!happened) return n;
    CHECK(thrown);
    CHECK(support::live_allocations() == live);
    CHECK(open_files() == files);
    check();
  }
}

}  // namespace

TEST_CASE("failing allocation: a training step") {
  const auto real = support::random_matrix<float>(6, 8, 1), z = support::random_matrix<float>(5, 8, 2);
  const Networks fresh;
  Networks expected, networks;
  Memory(expected).step(expected, real, z);
  const int allocations = fail_each([&] { Memory(networks).step(networks, real, z); },
                                    [&] {
                                      CHECK(networks.same_bits(fresh));
                                      Networks retried;
                                      Memory(retried).step(retried, real, z);
                                      CHECK(retried.same_bits(expected));
                                    });
  CHECK(allocations >= 10);  // two tapes, two gradients, images, four moments
  CHECK(networks.same_bits(expected));
}

TEST_CASE("failing allocation: a step that stands needs no memory, so it cannot fail") {
  const auto real = support::random_matrix<float>(6, 8, 1), z = support::random_matrix<float>(5, 8, 2);
  Networks networks, expected;
  Memory memory(networks), roomy(expected);
  {
    const support::FailingAllocation failing(0);
    memory.step(networks, real, z);
    CHECK_FALSE(failing.happened());
  }
  roomy.step(expected, real, z);
  CHECK(networks.same_bits(expected));
}

TEST_CASE("failing allocation: a text is whole, or there is none") {
  const std::string name(100, 'n');
  std::string text;
  CHECK(fail_each([&] { text = detail::concat(name, 1, name, 2, name); }, [&] { CHECK(text.empty()); }) >= 2);
  CHECK(text == name + '1' + name + '2' + name);
}

TEST_CASE("failing allocation: making a model, and inference") {
  const auto z = support::random_matrix<float>(5, 80, 2);
  const Model<G> model(Rng(1));
  CHECK(fail_each([] { const Model<G> made(Rng(1)); }, [] {}) >= 2);
  Matrix<float> images;
  CHECK(fail_each([&] { images = model.infer(z, Threads{1}); }, [&] { CHECK(images.size() == 0); }) >= 2);
  CHECK(images.cols() == 80);
}

TEST_CASE("failing allocation: a network with branches, its copies, passes, statistics and penalties") {
  using networks::NormalizedUNet;
  using networks::UNet;
  CHECK(fail_each([] { const Model<UNet> made(Rng(1)); }, [] {}) >= 20);
  const Model<UNet> model(Rng(1));
  CHECK(fail_each([&] { const auto copy = model.clone(); }, [] {}) >= 1);
  const auto x = support::random_matrix<float>(192, 5, 2), label = support::random_matrix<float>(2, 5, 3);
  Matrix<float> y;
  CHECK(fail_each([&] { y = model.infer({x, label}, Threads{1}); }, [&] { CHECK(y.size() == 0); }) >= 3);
  Buffer<float> grad = model.zeros();
  const auto train = [&] {
    auto tape = model.tape(5);
    model.forward(tape, {x, label}, Rng(1), Threads{1});
    tape.output_gradient().setOnes();
    model.backward_params(tape, grad, Threads{1});
  };
  CHECK(fail_each(train, [&] { CHECK(std::all_of(grad.begin(), grad.end(), [](float g) { return g == 0; })); }) >= 10);
  const auto penalise = [&] {
    GradientPenalty<float> penalty(model, 5);
    const std::array<ConstView<float>, 2> inputs{x, label};
    penalty.add_r1(model, inputs, 1, grad, Rng(1), Threads{1});
  };
  CHECK(fail_each(penalise, [] {}) >= 20);

  Model<NormalizedUNet> normalised(Rng(1));
  const auto at_start = support::copy_of<float>(normalised.state());
  CHECK(fail_each([&] { estimate_statistics(normalised, x, Threads{1}); },
                  [&] { CHECK(support::same_bits<float>(normalised.state(), at_start)); }) >= 3);
  CHECK(normalised.state()[2 * 18] == 1);
  CHECK(fail_each([&] { const auto larger = normalised.at({3, 16, 12}); }, [] {}) >= 20);

  const std::string text = Model(Sequential<Linear<3, 4>, Residual<Linear<4, 4>, Tanh>>{}, Rng(1)).architecture();
  CHECK(fail_each([&] { const Network net = Network::from_text(text); }, [] {}) >= 20);
}

TEST_CASE("failing allocation: a load leaves the model as it was") {
  const test::TemporaryFolder folder;
  Model<G> saved(Rng(1)), model(Rng(2));
  const Model<G> before(Rng(2));
  save(folder / "model", saved);
  const auto path = folder / "model";
  const int allocations = fail_each([&] { load(path, model); },
                                    [&] { REQUIRE(support::same_bits<float>(model.params(), before.params())); });
  CHECK(allocations >= 20);
  CHECK(support::same_bits<float>(model.params(), saved.params()));
}

TEST_CASE("failing allocation: a save leaves the old file and nothing beside it") {
  const test::TemporaryFolder folder;
  const Model<G> old_model(Rng(1)), new_model(Rng(2));
  const auto path = folder / "model";
  save(path, old_model);
  const auto old_file = read_file(path);
  const int allocations = fail_each([&] { save(path, new_model); },
                                    [&] {
                                      REQUIRE(folder.names() == std::vector<std::string>{"model"});
                                      REQUIRE(read_file(path) == old_file);
                                    });
  CHECK(allocations >= 20);
  Model<G> loaded(Rng(3));
  load(path, loaded);
  CHECK(support::same_bits<float>(loaded.params(), new_model.params()));
  CHECK(folder.names() == std::vector<std::string>{"model"});
}

namespace {
/// What a training might keep.
struct State {
  Model<G> model;
  Adam<float> adam{model.param_size()};
  std::vector<double> losses;
  std::string note;

  explicit State(std::uint64_t seed) : model(Rng(seed)), losses(seed, 0.5), note(10 * seed, 'n') {}
  template <class Visit>
  void visit_state(Visit&& visit) {
    visit("model", model), visit("adam", adam), visit("losses", losses), visit("note", note);
  }
  bool same_bits(const State& other) const {
    return support::same_bits<float>(model.params(), other.model.params()) && losses == other.losses &&
           note == other.note;
  }
};
}  // namespace

TEST_CASE("failing allocation: a checkpoint, saved and loaded") {
  const test::TemporaryFolder folder;
  State saved(5), fresh(2), state(2);
  const auto path = folder / "last", before = folder / "before";
  save_checkpoint(path, fresh);
  const auto old_file = read_file(path);
  CHECK(fail_each([&] { save_checkpoint(path, saved, {}, before); },
                  [&] {
                    REQUIRE(folder.names() == std::vector<std::string>{"last"});
                    REQUIRE(read_file(path) == old_file);
                  }) >= 20);
  CHECK(folder.names() == std::vector<std::string>{"before", "last"});
  CHECK(read_file(before) == old_file);
  CHECK(fail_each([&] { load_checkpoint(path, state); }, [&] { REQUIRE(state.same_bits(fresh)); }) >= 20);
  CHECK(state.same_bits(saved));
}

TEST_CASE("failing allocation: other files") {
  const test::TemporaryFolder folder;
  const auto batch = support::random_matrix<float>(3, 4, 1);
  write_npy<float>(folder / "npy", batch);
  write_idx_images(folder / "idx", {2, 1, 3, {1, 2, 3, 4, 5, 6}});
  const auto npy = folder / "npy", idx = folder / "idx";
  const auto names = folder.names();
  const auto same_names = [&] { CHECK(folder.names() == names); };
  CHECK(fail_each([&] { write_npy<float>(npy, batch); }, same_names) > 2);
  NpyArray array;
  CHECK(fail_each([&] { array = read_npy(npy); }, [&] { CHECK(array.data.empty()); }) > 2);
  CHECK(array.shape == std::vector<std::uint64_t>{4, 3});
  CHECK(fail_each([&] { write_idx_images(idx, {2, 1, 3, {1, 2, 3, 4, 5, 6}}); }, same_names) > 2);
  IdxImages images;
  const auto read = [&] {
    FileSource source(idx);
    images = read_idx_images(source);
  };
  CHECK(fail_each(read, [&] { CHECK(images.count == 0); }) > 2);
  CHECK(images.count == 2);
}
