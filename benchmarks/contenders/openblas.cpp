// OpenBLAS: the products of a step and nothing else, in the order of the step.
#include <sstream>

#include "../paired/serve.hpp"
#include "../products/openblas.hpp"
#include "../products/step_products.hpp"
#include "options.hpp"

int main(int argc, char** argv) {
  return bench::contender_main(argc, argv, [](const bench::ContenderOptions& options) {
    openblas_set_num_threads(options.threads);
    const bench::StepProducts step(options.workload);
    std::ostringstream about;
    about << R"({"name": "OpenBLAS, products alone", "flop": )" << step.flop() << R"(, "core": ")"
          << openblas_get_corename() << R"(", "version": ")" << openblas_get_config() << R"("})";
    return bench::serve(about.str(), [&] {
      for (const bench::Product& p : step.products()) bench::openblas_multiply(p);
    });
  });
}
