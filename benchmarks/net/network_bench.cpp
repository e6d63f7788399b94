// Network against Sequential, in turns, in one process: a training step of the discriminator of the recipe `seed` (128
// samples, dropout, Adam) and inference of one sample; and the same of a network of 2-8-1 with one sample, in which
// little else happens. Both compute the same bits; what differs is how layers are found.
//   net.network_bench [--threads N] [--rounds N]
// Each round times both, in alternating order. Printed: the medians, and the median and quartiles of the rounds'
// ratios.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include <eigan/eigan.hpp>
#include <eigan/net/network.hpp>

#include "../machine.hpp"

namespace {

using namespace eigan;

template <class Net>
class Contender {
 public:
  Contender(const Net& net, Index batch, Threads threads)
      : model_(net, Rng(1)),
        tape_(model_.tape(batch)),
        gradient_(model_.zeros()),
        adam_(gradient_.size()),
        scratch_(model_.scratch()),
        x_(net.input_size(), batch),
        threads_(threads) {
    fill_uniform<float>(x_, -1, 1, Rng(2));
  }

  void train() {
    const auto z = model_.forward(tape_, x_, Rng(3).fold_in(++step_), threads_);
    bce_with_logits<float>(z, 0.9f, tape_.output_gradient());
    backward_and_step(model_, tape_, adam_, gradient_, threads_);
  }
  void infer() { model_.infer(ConstView<float>(x_).columns(0, 1), y_, scratch_); }

  bool same(const auto& other) const { return std::ranges::equal(model_.params(), other.params()) && y_ == other.y(); }
  std::span<const float> params() const { return model_.params(); }
  const Matrix<float>& y() const { return y_; }

 private:
  Model<Net> model_;
  Tape<Net> tape_;
  Buffer<float> gradient_;
  Adam<float> adam_;
  Scratch<Net> scratch_;
  Matrix<float> x_, y_ = Matrix<float>::Zero(1, 1);
  Threads threads_;
  std::uint64_t step_ = 0;
};

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

/// f and g in turns of `repeats` calls.
template <class F, class G>
void compare(const char* what, int rounds, int repeats, const F& fixed, const G& at_run_time) {
  const auto turn = [&](const auto& f) {
    const double start = bench::seconds();
    for (int i = 0; i < repeats; ++i) f();
    return (bench::seconds() - start) / repeats * 1e6;
  };
  turn(fixed), turn(at_run_time);
  std::vector<double> of_fixed, of_run_time, ratios;
  for (int round = 0; round < rounds; ++round) {
    const bool first = round % 2 == 0;
    const double a = first ? turn(fixed) : turn(at_run_time), b = first ? turn(at_run_time) : turn(fixed);
    of_fixed.push_back(first ? a : b), of_run_time.push_back(first ? b : a);
    ratios.push_back(of_run_time.back() / of_fixed.back());
  }
  std::printf("%-24s Sequential %9.3f us   Network %9.3f us   Network / Sequential %.4f (%.4f to %.4f)\n", what,
              quantile(of_fixed, 0.5), quantile(of_run_time, 0.5), quantile(ratios, 0.5), quantile(ratios, 0.25),
              quantile(ratios, 0.75));
}

/// Training steps of `batch` samples, and inference of one.
template <class Net>
void compare(const std::string& name, const Net& net, Index batch, Threads threads, int rounds, int steps,
             int inferences) {
  Contender fixed(net, batch, threads);
  Contender at_run_time(Network::from_text(net.architecture()), batch, threads);
  compare((name + ", training").c_str(), rounds, steps, [&] { fixed.train(); }, [&] { at_run_time.train(); });
  compare((name + ", inference").c_str(), rounds, inferences, [&] { fixed.infer(); }, [&] { at_run_time.infer(); });
  if (!fixed.same(at_run_time)) throw std::runtime_error("the results differ");
}

}  // namespace

int main(int count, char** arguments) try {
  int threads = 1, rounds = 201;
  for (int i = 1; i < count; i += 2) {
    const bool known =
        i + 1 < count && (!std::strcmp(arguments[i], "--threads") || !std::strcmp(arguments[i], "--rounds"));
    if (!known) throw std::invalid_argument("expected [--threads N] [--rounds N]");
    (std::strcmp(arguments[i], "--threads") == 0 ? threads : rounds) = std::max(1, std::stoi(arguments[i + 1]));
  }
  compare("discriminator", make_discriminator<784, 128, 64, 32, 1>(), 128, Threads{threads}, rounds, 8, 500);
  compare("2-8-1", Sequential<Linear<2, 8>, Tanh, Linear<8, 1>>(), 1, Threads{threads}, rounds, 2000, 5000);
} catch (const std::exception& error) {
  std::fprintf(stderr, "network_bench: %s\n", error.what());
  return 1;
}
