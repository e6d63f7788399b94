// OpenBLAS: the products of a step and nothing else, in the order of the step. OPENBLAS_CORETYPE in the environment
// says by which of its kernels: see paired/openblas_kernels.hpp.
#include <sstream>
#include <string>

#include "../paired/serve.hpp"
#include "../products/openblas.hpp"
#include "../products/step_products.hpp"
#include "../products/wrong_elements.hpp"
#include "options.hpp"

int main(int argc, char** argv) {
  return bench::contender_main(argc, argv, [](const bench::ContenderOptions& options) {
    openblas_set_num_threads(options.threads);
    const bench::StepProducts step(options.workload);
    int wrong = 0;
    for (const bench::Product& p : step.products()) wrong += bench::wrong_elements(p, bench::openblas_multiply);
    const std::string core = openblas_get_corename();
    std::ostringstream about;
    about << R"({"name": "OpenBLAS ()" << core << R"(), products alone", "flop": )" << step.flop() << R"(, "core": ")"
          << core << R"(", "wrong": )" << wrong << R"(, "version": ")" << openblas_get_config() << R"("})";
    return bench::serve(about.str(), [&] {
      for (const bench::Product& p : step.products()) bench::openblas_multiply(p);
    });
  });
}
