#include <eigan/layers/dropout.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/testing/check_gradients.hpp>

#include "testing/right_layers.hpp"

using namespace faults;
using testing::check_gradients;

namespace {

/// y = x where x > 0, p x below: element-wise, linear piece by piece, with a parameter.
struct Slope {
  static constexpr bool elementwise = true, piecewise_linear = true, backward_reads_y = false;
  Index param_size() const { return 1; }
  void init(std::span<double> p, Rng) const { p[0] = 0.25; }
  void forward(P p, C x, V y) const {
    y = x.unaryExpr([a = p[0]](double v) { return v > 0 ? v : a * v; });
  }
  void backward_input(P p, C x, C, C dy, V dx) const {
    dx = x.binaryExpr(dy, [a = p[0]](double v, double d) { return v > 0 ? d : a * d; });
  }
  void backward_params(P, C x, C, C dy, std::span<double> dp) const {
    dp[0] += (x.array() > 0).select(0, x.array() * dy.array()).sum();
  }
};
static_assert(!TangentLayer<Slope, double>);
struct SlopeWithTangent : Slope {
  void backward_params_tangent(P, C x, C, C tx, C dty, std::span<double> dp) const {
    dp[0] += (x.array() > 0).select(0, tx.array() * dty.array()).sum();
  }
};
static_assert(TangentLayer<SlopeWithTangent, double>);
struct SlopeOfTheInput : Slope {
  void backward_params_tangent(P p, C x, C y, C, C dty, std::span<double> dp) const {
    backward_params(p, x, y, dty, dp);
  }
};

struct CurvedCube : Cube {
  void add_curvature(P, C x, C, C tx, C dty, V dx) const { dx.array() += 6 * x.array() * tx.array() * dty.array(); }
};
struct WrongCurvature : Cube {
  void add_curvature(P, C x, C, C tx, C dty, V dx) const { dx.array() += 3 * x.array() * tx.array() * dty.array(); }
};
struct CurvatureAssigned : Cube {
  void add_curvature(P, C x, C, C tx, C dty, V dx) const { dx = 6 * x.array() * tx.array() * dty.array(); }
};
struct CurvatureWritesBehind : CurvedCube {
  void add_curvature(P p, C x, C y, C tx, C dty, V dx) const {
    CurvedCube::add_curvature(p, x, y, tx, dty, dx);
    dx.data()[dx.rows()] = 0;
  }
};
struct CurvatureReadsY : Cube {
  void add_curvature(P, C, C y, C tx, C dty, V dx) const {
    dx.array() += 6 * y.array().sign() * y.array().abs().pow(1.0 / 3) * tx.array() * dty.array();
  }
};
struct NotPiecewiseLinear : Cube {
  static constexpr bool piecewise_linear = true;
};

struct WrongTangent : SquaredAffine {
  void forward_tangent(P p, C x, C, C tx, V ty) const { ty = weight(p) * (x.array() * tx.array()).matrix(); }
};
struct TangentAdds : SquaredAffine {
  void forward_tangent(P p, C x, C, C tx, V ty) const { ty += weight(p) * (2 * x.array() * tx.array()).matrix(); }
};
struct TangentWritesBehind : SquaredAffine {
  void forward_tangent(P p, C x, C y, C tx, V ty) const {
    SquaredAffine::forward_tangent(p, x, y, tx, ty);
    ty.data()[ty.rows()] = 0;
  }
};
struct WrongParamsTangent : SquaredAffine {
  void backward_params_tangent(P, C x, C, C tx, C dty, std::span<double> dp) const {
    weight(dp) += dty * (x.array() * tx.array()).matrix().transpose();
  }
};
struct ParamsTangentAssigned : SquaredAffine {
  void backward_params_tangent(P, C x, C, C tx, C dty, std::span<double> dp) const {
    weight(dp) = dty * (2 * x.array() * tx.array()).matrix().transpose();
  }
};
struct ParamsTangentWritesBehind : SquaredAffine {
  void backward_params_tangent(P p, C x, C y, C tx, C dty, std::span<double> dp) const {
    SquaredAffine::backward_params_tangent(p, x, y, tx, dty, dp);
    dp.data()[6] = 0;
  }
};

struct LinearWithoutTangent : Affine {
  static constexpr bool piecewise_linear = true;
};
struct CurvatureAlone : Affine {
  void add_curvature(P, C, C, C, C, V) const {}
};
struct TangentAlone : Affine {
  void forward_tangent(P p, C, C, C tx, V ty) const { ty = weight(p) * tx; }
};
struct ParamsTangentAlone : Affine {
  void backward_params_tangent(P, C, C, C tx, C dty, std::span<double> dp) const { weight(dp) += dty * tx.transpose(); }
};

}  // namespace

TEST_CASE("check_tangents: what is right passes") {
  passes(check_gradients(SquaredAffine{}));
  passes(check_gradients(CurvedCube{}));
  passes(check_gradients(SlopeWithTangent{}));
  passes(check_gradients(Linear<7, 3>{}));
  passes(check_gradients(Dropout(0.5)));
  passes(check_gradients(Tanh()));
}

TEST_CASE("check_tangents: an element-wise layer with parameters needs backward_params_tangent, and is named") {
  const auto report = check_gradients(Slope{});
  CHECK(reports(report,
                "the layer has piecewise_linear, but lacks backward_params_tangent, or it does not fit: it is no "
                "TangentLayer"));
  CHECK(report.failures().size() == 1);  // its other gradients are right
}

TEST_CASE("check_tangents: a part of a tangent is named, not taken for none") {
  CHECK(reports(check_gradients(LinearWithoutTangent{}),
                "the layer has piecewise_linear, but lacks forward_tangent, backward_params_tangent"));
  CHECK(reports(check_gradients(CurvatureAlone{}),
                "the layer has add_curvature, but lacks forward_tangent, backward_params_tangent"));
  CHECK(
      reports(check_gradients(TangentAlone{}),
              "the layer has forward_tangent, but lacks add_curvature (or piecewise_linear), backward_params_tangent"));
  CHECK(
      reports(check_gradients(ParamsTangentAlone{}),
              "the layer has backward_params_tangent, but lacks add_curvature (or piecewise_linear), forward_tangent"));
}

TEST_CASE("check_tangents: a wrong tangent is caught") {
  CHECK(reports(check_gradients(WrongTangent{}), "ty element 0, batch 1: forward_tangent gives"));
  CHECK(reports(check_gradients(TangentAdds{}), "ty element 0, batch 1: forward_tangent gives nan"));
  CHECK(reports(check_gradients(TangentWritesBehind{}), "forward_tangent: writes outside ty, batch 1"));
}

TEST_CASE("check_tangents: a wrong curvature is caught") {
  CHECK(reports(check_gradients(WrongCurvature{}), "curvature element 0, batch 1: add_curvature gives"));
  CHECK(reports(check_gradients(CurvatureAssigned{}), "add_curvature: assigned, not added, batch 1"));
  CHECK(reports(check_gradients(CurvatureWritesBehind{}), "add_curvature: writes outside dx, batch 1"));
  CHECK(reports(check_gradients(CurvatureReadsY{}), "curvature element 0, batch 1: add_curvature gives nan"));
  CHECK(reports(check_gradients(NotPiecewiseLinear{}), "declared piecewise_linear, but its slope changes by"));
}

TEST_CASE("check_tangents: a wrong gradient of the parameters is caught") {
  CHECK(reports(check_gradients(WrongParamsTangent{}), "dparams of the tangent element 0, batch 1"));
  CHECK(reports(check_gradients(SlopeOfTheInput{}), "dparams of the tangent element 0, batch 1"));
  CHECK(reports(check_gradients(ParamsTangentAssigned{}), "backward_params_tangent: assigned, not added, batch 1"));
  CHECK(reports(check_gradients(ParamsTangentWritesBehind{}), "backward_params_tangent: writes outside dp, batch 1"));
}
