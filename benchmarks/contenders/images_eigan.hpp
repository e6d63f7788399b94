// What eigan's steps of networks of images share: weights as every contender has them, and how steps are served.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <eigan/kernels/isa.hpp>
#include <eigan/net/basic_model.hpp>

#include "../image_steps.hpp"
#include "../paired/serve.hpp"

namespace bench {

inline void fill_weights(eigan::BasicModel<float>& model, int network) {
  int number = 0;
  for (const eigan::Parameter& p : model.parameters()) {
    const bool weight = p.rank > 1, scale = !weight && p.name.ends_with("weight");
    std::size_t i = 0;
    p.for_each_in_file_order([&](eigan::Index place) {
      model.params()[static_cast<std::size_t>(p.offset + place)] = weight  ? initial_weight(network, number, i++)
                                                                   : scale ? 1.0f
                                                                           : 0.0f;
    });
    ++number;
  }
}

/// run(losses) takes a step and writes its losses where they are wanted.
template <class Step>
int serve_eigan(Step run) {
  std::vector<double> losses;
  for (int i = 0; i < checked_steps; ++i) run(&losses);
  return serve(about_image_step(std::string("eigan, whole step, ") + to_string(eigan::active_isa()), losses),
               [&] { run(nullptr); });
}

}  // namespace bench
