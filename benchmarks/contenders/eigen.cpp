// Eigen: the products of a step and nothing else, as plain expressions on maps, with Eigen's own threads.
#include <sstream>

#include "../paired/serve.hpp"
#include "../products/eigen.hpp"
#include "../products/step_products.hpp"
#include "options.hpp"

int main(int argc, char** argv) {
  return bench::contender_main(argc, argv, [](const bench::ContenderOptions& options) {
    Eigen::setNbThreads(options.threads);
    const bench::StepProducts step(options.workload);
    std::ostringstream about;
    about << R"({"name": "Eigen, products alone", "flop": )" << step.flop() << R"(, "version": ")"
          << EIGEN_WORLD_VERSION << '.' << EIGEN_MAJOR_VERSION << '.' << EIGEN_MINOR_VERSION << R"("})";
    return bench::serve(about.str(), [&] {
      for (const bench::Product& p : step.products()) bench::eigen_multiply(p);
    });
  });
}
