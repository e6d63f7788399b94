// BatchNorm1d and BatchNorm2d: each feature, or each channel of an image, is centred and scaled by its mean and
// variance over the batch and all pixels (Ioffe and Szegedy 2015).
//   y = gamma x^ + beta,    x^ = (x - mean) / sqrt(var + eps)        x, y: shape x batch;  all else per channel
// Backward:  dgamma += sum dy x^,   dbeta += sum dy,   dx = gamma / sqrt(var + eps) (dy - mean(dy) - x^ mean(dy x^)).
// At inference mean and var are constants, kept in the state as PyTorch names them: running_mean, running_var. A pass
// leaves them alone; update_statistics averages them over training batches as PyTorch does, estimate_statistics takes
// them from as many samples as one likes, for the weights as they are (Wu and Johnson 2021).
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/layer.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/layers/channels.hpp>

namespace eigan {
namespace placed {

/// Batch normalisation where it stands: channels over pixels.
class BatchNorm {
 public:
  static constexpr Index input = dynamic, output = dynamic;
  static constexpr bool coupled = true;
  static constexpr bool backward_reads_y = false;

  /// `name`, a literal, is that of the description.
  constexpr BatchNorm(const char* name, Shape shape, double eps) : name_(name), channels_(shape), eps_(eps) {}

  /// Of one sample.
  constexpr Shape shape() const { return channels_.shape(); }
  Index input_size() const { return shape().size(); }
  Index output_size() const { return shape().size(); }
  /// What is added to the variance.
  double eps() const { return eps_; }
  /// x is read twice, y written.
  double operations() const { return 3 * detail::memory_access * static_cast<double>(input_size()); }
  Spec spec() const {
    return {name_,
            {{"num_features", channels_.count()}, {"eps", eps_}},
            detail::concat("::eigan::", name_, "<", channels_.count(), ">")};
  }

  Index param_size() const { return 2 * channels_.count(); }
  std::vector<Parameter> parameters() const {
    const Index c = channels_.count();
    return {{"weight", 0, c, 1, 1}, {"bias", c, c, 1, 1}};
  }
  template <class T>
  void init(std::span<T> p, Rng) const {
    std::fill_n(std::fill_n(p.data(), channels_.count(), T(1)), channels_.count(), T(0));
  }

  Index state_size() const { return 2 * channels_.count() + 1; }
  std::vector<Parameter> states() const {
    const Index c = channels_.count();
    return {{"running_mean", 0, c, 1, 1},
            {"running_var", c, c, 1, 1},
            {.name = "num_batches_tracked", .offset = 2 * c, .rows = 1, .cols = 1, .rank = 0, .integer = true}};
  }
  template <class T>
  void init_state(std::span<T> s) const {
    *std::fill_n(std::fill_n(s.data(), channels_.count(), T(0)), channels_.count(), T(1)) = T(0);
  }
  /// Counts a batch; its variance is divided by the number of its pixels less one, as PyTorch keeps it. In float the
  /// count stops at 2^24, which changes nothing: it is written to files, and asked whether it is 0.
  template <class T>
  void update_statistics(std::span<T> s, ConstView<T> x, double momentum) const {
    const Index c = channels_.count();
    const auto n = static_cast<T>(x.cols() * shape().pixels());
    const T unbiased = n / std::max(n - 1, T(1)), share = static_cast<T>(momentum);
    const auto average = [&](T& kept, T found) { kept = momentum == 1 ? found : kept + share * (found - kept); };
    channels_.for_each_run(0, channels_.parts(), [&](detail::Run run) {
      const auto batch = channels_.moments(run, x);
      T* const mean = s.data() + run.first;
      for (Index i = 0; i < run.count; ++i) {
        average(mean[i], batch.center[i] + batch.rest[i]);
        average(mean[c + i], batch.variance[i] * unbiased);
      }
    });
    s.data()[2 * c] += 1;
  }
  /// Statistics of x and of the `seen` samples in s together, as one batch (Chan, Golub and LeVeque 1979).
  template <class T>
  void merge_statistics(std::span<T> s, ConstView<T> x, Index seen) const {
    const Index c = channels_.count();
    if (seen == 0) {
      s.data()[2 * c] = 0;
      return update_statistics(s, x, 1);
    }
    const auto before = static_cast<double>(seen * shape().pixels()),
               more = static_cast<double>(x.cols() * shape().pixels());
    const double all = before + more;
    channels_.for_each_run(0, channels_.parts(), [&](detail::Run run) {
      const auto batch = channels_.moments(run, x);
      for (Index i = 0; i < run.count; ++i) {
        T &mean = s.data()[run.first + i], &variance = s.data()[c + run.first + i];
        const double step = static_cast<double>(batch.center[i] + batch.rest[i]) - static_cast<double>(mean);
        const double squares = static_cast<double>(variance) * (before - 1) +
                               static_cast<double>(batch.variance[i]) * more + step * step * before * more / all;
        mean = static_cast<T>(static_cast<double>(mean) + step * more / all);
        variance = static_cast<T>(squares / (all - 1));
      }
    });
  }

  /// Whether anybody has set them: batches were counted, or the numbers are not those that init_state writes. A count
  /// may be missing where others wrote the file.
  template <class T>
  bool has_statistics(std::span<const T> s) const {
    const Index c = channels_.count();
    const auto is_not = [](T value) { return [value](T number) { return number != value; }; };
    const T* const mean = s.data();
    const T* const variance = mean + c;
    return variance[c] > 0 || std::any_of(mean, variance, is_not(0)) || std::any_of(variance, variance + c, is_not(1));
  }

  // Inference: an affine map of each channel. The running mean and gamma / sqrt(var + eps) are made ready once a pass.

  Index prepared_size() const { return 2 * channels_.count(); }
  template <class T>
  void prepare(std::span<const T> p, std::span<const T> s, std::span<T> q, Phase phase) const {
    if (phase == Phase::training) return;
    const Index c = channels_.count();
    if (!has_statistics(s))
      detail::fail_contract("eigan::", name_, ": inference with statistics that nobody has set; call ",
                            "estimate_statistics(model, samples) after training, or update_statistics(model, tape, ",
                            "momentum) behind each training pass");
    std::copy_n(s.data(), c, q.data());
    for (Index i = 0; i < c; ++i) q.data()[c + i] = p.data()[i] / std::sqrt(s.data()[c + i] + static_cast<T>(eps_));
  }
  template <class T>
  void forward(Prepared<T> p, ConstView<T> x, View<T> y) const {
    const Index c = channels_.count();
    channels_.scale({0, c}, x, p.prepared.data(), p.prepared.data() + c, p.params.data() + c, y);
  }
  template <class T>
  void backward_input(Prepared<T> p, ConstView<T>, ConstView<T>, ConstView<T> dy, View<T> dx) const {
    constexpr detail::Group<T> zero{};
    const T* const scale = p.prepared.data() + channels_.count();
    channels_.for_each_run(0, channels_.parts(), [&](detail::Run run) {
      channels_.scale(run, dy, zero.values, scale + run.first, zero.values, dx);
    });
  }

  // Training, over the whole batch, in parts of consecutive channels.

  Index part_count() const { return channels_.parts(); }
  template <class T>
  void forward_parts(Prepared<T> p, ConstView<T> x, View<T> y, Index first, Index last) const {
    channels_.for_each_run(first, last, [&](detail::Run run) {
      const T* const gamma = p.params.data() + run.first;
      channels_.normalise(run, x, eps_, gamma, gamma + channels_.count(), y);
    });
  }
  template <class T>
  void backward_input_parts(Prepared<T> p, ConstView<T> x, ConstView<T>, ConstView<T> dy, View<T> dx, Index first,
                            Index last) const {
    channels_.for_each_run(first, last, [&](detail::Run run) {
      channels_.normalise_backward(run, x, eps_, p.params.data() + run.first, dy, dx);
    });
  }
  template <class T>
  void backward_params(Prepared<T>, ConstView<T> x, ConstView<T>, ConstView<T> dy, std::span<T> dp) const {
    channels_.for_each_run(0, channels_.parts(), [&](detail::Run run) {
      T* const dgamma = dp.data() + run.first;
      channels_.add_params(run, x, eps_, dy, dgamma, dgamma + channels_.count());
    });
  }

 private:
  const char* name_;
  detail::Channels channels_;
  double eps_;
};

}  // namespace placed

/// Batch normalisation of vectors. `BatchNorm1d<256>`, or `BatchNorm1d<>(256)` with their length given at run time.
template <Index Features = dynamic>
class BatchNorm1d : public placed::BatchNorm {
  static_assert(Features > 0 || Features == dynamic, "eigan::BatchNorm1d: features are positive or dynamic");

 public:
  static constexpr Index input = Features, output = Features;

  /// The features that the type states, eps 1e-5.
  constexpr BatchNorm1d() requires(Features != dynamic) : BatchNorm("BatchNorm1d", {Features}, 1e-5) {}
  /// Throws std::invalid_argument unless 0 < features < 2^31, as the type says where it does, and eps > 0.
  explicit BatchNorm1d(Index features, double eps = 1e-5) : BatchNorm("BatchNorm1d", {features}, eps) {
    detail::check_normalisation("BatchNorm1d", "features", Features, features, eps);
  }

  constexpr Shape output_shape(Shape in) const { return in == shape() ? in : Shape{}; }
  std::string expects() const { return detail::concat(shape().channels, " features"); }
  /// Itself, as the class that all sizes share.
  placed::BatchNorm at(Shape) const { return *this; }
};

/// Batch normalisation of images' channels. `BatchNorm2d<64>`, or `BatchNorm2d<>(64)`.
template <Index Channels = dynamic>
class BatchNorm2d {
  static_assert(Channels > 0 || Channels == dynamic, "eigan::BatchNorm2d: channels are positive or dynamic");

 public:
  /// The channels that the type states, eps 1e-5.
  constexpr BatchNorm2d() requires(Channels != dynamic) : channels_(Channels) {}
  /// Throws std::invalid_argument unless 0 < channels < 2^31, as the type says where it does, and eps > 0.
  explicit BatchNorm2d(Index channels, double eps = 1e-5) : channels_(channels), eps_(eps) {
    detail::check_normalisation("BatchNorm2d", "channels", Channels, channels, eps);
  }

  constexpr Shape output_shape(Shape in) const { return in && in.channels == channels_ ? in : Shape{}; }
  std::string expects() const { return detail::concat(channels_, " channels"); }
  Spec spec() const { return at({channels_}).spec(); }
  /// The layer over the pixels of `in`.
  placed::BatchNorm at(Shape in) const { return {"BatchNorm2d", in, eps_}; }

 private:
  Index channels_;
  double eps_ = 1e-5;
};

static_assert(BatchCoupledLayer<placed::BatchNorm> && StatisticsLayer<placed::BatchNorm> &&
              ParametricLayer<placed::BatchNorm, double> && ShapedLayer<BatchNorm1d<3>> && ShapedLayer<BatchNorm2d<3>>);

}  // namespace eigan
