// Every contender is called `NAME WORKLOAD THREADS [VARIANT]`.
#pragma once

#include <exception>
#include <iostream>
#include <string>
#include <string_view>

#include "../workloads.hpp"

namespace bench {

struct ContenderOptions {
  const Workload& workload;
  int threads;
  std::string_view variant;
};

/// Runs f(options); what it throws becomes one line and exit status 1.
template <class F>
int contender_main(int argc, char** argv, const F& f) {
  try {
    if (argc < 3 || argc > 4)
      throw std::invalid_argument("usage: " + std::string(argv[0]) + " WORKLOAD THREADS [VARIANT]");
    return f(ContenderOptions{workload(argv[1]), std::stoi(argv[2]), argc > 3 ? argv[3] : ""});
  } catch (const std::exception& error) {
    std::cerr << argv[0] << ": " << error.what() << '\n';
    return 1;
  }
}

}  // namespace bench
