// OpenBLAS: the products of a step and nothing else, in the order of the step. Whatever a product is good for, it is
// one call of cblas_sgemm; a product with a single row is cblas_sgemv or cblas_sger where that is faster (VARIANT
// gemv).
#include <cblas.h>

#include <sstream>

#include "../paired/serve.hpp"
#include "../products.hpp"
#include "options.hpp"

namespace {

void multiply(const bench::Product& p) {
  cblas_sgemm(CblasColMajor, p.transpose_a ? CblasTrans : CblasNoTrans, p.transpose_b ? CblasTrans : CblasNoTrans, p.m,
              p.n, p.k, 1.0f, p.a, p.lda, p.b, p.ldb, 0.0f, p.c, p.ldc);
}

}  // namespace

int main(int argc, char** argv) {
  return bench::contender_main(argc, argv, [](const bench::ContenderOptions& options) {
    openblas_set_num_threads(options.threads);
    const bench::StepProducts step(options.workload);
    std::ostringstream about;
    about << R"({"name": "OpenBLAS, products alone", "flop": )" << step.flop() << R"(, "core": ")"
          << openblas_get_corename() << R"(", "version": ")" << openblas_get_config() << R"("})";
    return bench::serve(about.str(), [&] {
      for (const bench::Product& p : step.products()) multiply(p);
    });
  });
}
