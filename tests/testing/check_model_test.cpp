#include <vector>

#include <eigan/losses/mse.hpp>
#include <eigan/testing/check_model.hpp>

#include "testing/right_layers.hpp"

using namespace faults;

namespace {

/// A model of one layer, with what check_model asks of models.
template <class L>
class OneLayer {
 public:
  struct Tape {
    Matrix<double> x, y, dy;
    C output() const { return y; }
    V output_gradient() { return dy; }
  };
  Index input_size() const { return L::input; }
  Index param_size() const { return layer_.param_size(); }
  std::span<double> params() { return params_; }
  Tape tape(Index batch) const { return {{}, Matrix<double>(L::output, batch), Matrix<double>(L::output, batch)}; }
  void forward(Tape& tape, C x, Rng) const {
    tape.x = x;
    layer_.forward(params_, x, tape.y);
  }
  void backward(Tape& tape, std::span<double> grad, V dx) const {
    layer_.backward_params(params_, tape.x, tape.y, tape.dy, grad);
    layer_.backward_input(params_, tape.x, tape.y, tape.dy, dx);
  }
  void backward_params(Tape& tape, std::span<double> grad) const {
    layer_.backward_params(params_, tape.x, tape.y, tape.dy, grad);
    grad[0] += skew;
  }
  void backward_input(Tape& tape, V dx) const {
    layer_.backward_input(params_, tape.x, tape.y, tape.dy, dx);
    dx(0, 0) += skew;
  }
  double skew = 0;  ///< what both halves alone are off by

 private:
  L layer_;
  std::vector<double> params_ = std::vector<double>(static_cast<std::size_t>(layer_.param_size()), 0.5);
};

struct TwiceTheGradient : Affine {
  void backward_input(P p, C, C, C dy, V dx) const { dx = 2 * weight(p).transpose() * dy; }
};
struct NoBiasGradient : Affine {
  void backward_params(P, C x, C, C dy, std::span<double> dp) const { weight(dp) += dy * x.transpose(); }
};
struct Assigns : Affine {
  void backward_params(P, C x, C, C dy, std::span<double> dp) const {
    weight(dp) = dy * x.transpose();
    bias(dp) = dy.rowwise().sum();
  }
};

template <class L>
testing::Report check(OneLayer<L> model = {}) {
  return testing::check_model(
      model, [](C y, V dy) { return mse<double>(y, Matrix<double>::Ones(y.rows(), y.cols()).eval(), dy); });
}

}  // namespace

TEST_CASE("check_model: what is right passes") {
  passes(check<Affine>());
}

TEST_CASE("check_model: a wrong layer inside a model is caught") {
  CHECK(reports(check<TwiceTheGradient>(), "dx element 0, batch 1"));
  CHECK(reports(check<NoBiasGradient>(), "dparams element 6, batch 1"));
  CHECK(reports(check<Assigns>(), "backward: assigned, not added, batch 1"));
}

TEST_CASE("check_model: both halves alone must be both together") {
  OneLayer<Affine> skewed;
  skewed.skew = 1e-12;
  const auto report = check(skewed);
  CHECK(reports(report, "backward_params: differs from backward, batch 1"));
  CHECK(reports(report, "backward_input: differs from backward, batch 3"));
}
