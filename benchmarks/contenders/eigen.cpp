// Eigen: the products of a step and nothing else, as plain expressions on maps, with Eigen's own threads.
#include <Eigen/Core>
#include <sstream>

#include "../paired/serve.hpp"
#include "../products.hpp"
#include "options.hpp"

namespace {

using Map = Eigen::Map<Eigen::MatrixXf, Eigen::Unaligned, Eigen::OuterStride<>>;
using ConstMap = Eigen::Map<const Eigen::MatrixXf, Eigen::Unaligned, Eigen::OuterStride<>>;

void multiply(const bench::Product& p) {
  const ConstMap a(p.a, p.transpose_a ? p.k : p.m, p.transpose_a ? p.m : p.k, Eigen::OuterStride<>(p.lda));
  const ConstMap b(p.b, p.transpose_b ? p.n : p.k, p.transpose_b ? p.k : p.n, Eigen::OuterStride<>(p.ldb));
  Map c(p.c, p.m, p.n, Eigen::OuterStride<>(p.ldc));
  if (p.transpose_a)
    c.noalias() = a.transpose() * b;
  else if (p.transpose_b)
    c.noalias() = a * b.transpose();
  else
    c.noalias() = a * b;
}

}  // namespace

int main(int argc, char** argv) {
  return bench::contender_main(argc, argv, [](const bench::ContenderOptions& options) {
    Eigen::setNbThreads(options.threads);
    const bench::StepProducts step(options.workload);
    std::ostringstream about;
    about << R"({"name": "Eigen, products alone", "flop": )" << step.flop() << R"(, "version": ")"
          << EIGEN_WORLD_VERSION << '.' << EIGEN_MAJOR_VERSION << '.' << EIGEN_MINOR_VERSION << R"("})";
    return bench::serve(about.str(), [&] {
      for (const bench::Product& p : step.products()) multiply(p);
    });
  });
}
