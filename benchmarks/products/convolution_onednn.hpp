// The same convolution by oneDNN's own primitives, one for each direction, in the layouts that they like best,
// or in plain ones where that is faster.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "../processor_time.hpp"
#include "convolution_case.hpp"

namespace bench {

class OneDnnConvolution {
 public:
  /// Seconds that a function takes.
  using Clock = double (*)(const std::function<void()>&);

  /// Takes operands as eigan's are laid out. `clock` measures which primitive is the fastest.
  OneDnnConvolution(const ConvolutionCase& c, eigan::View<float> x, float* w, float* b, eigan::View<float> dy,
                    Clock clock = time_of)
      : clock_(clock) {
    using dnnl::memory;
    using Tag = memory::format_tag;
    const auto& s = c.shape;
    const auto desc = [](const memory::dims& dims, Tag tag) { return memory::desc(dims, memory::data_type::f32, tag); };
    const memory::dims xs{c.samples, s.in, s.height, s.width}, ws{s.out, s.in, s.kernel_height, s.kernel_width};
    const memory::dims ys{c.samples, s.out, s.out_height(), s.out_width()}, bs{s.out};
    const memory::dims stride{s.stride_height, s.stride_width}, padding{s.padding_height, s.padding_width};
    const auto kind = dnnl::algorithm::convolution_direct;
    // In eigan's order of dimensions: tags name the dimensions from the outermost to the innermost.
    plain_x_ = desc(xs, Tag::nhwc);
    plain_w_ = desc(ws, Tag::hwio);
    plain_y_ = desc(ys, Tag::nhwc);
    const auto take = [&](float* from, const memory::desc& plain, const memory::desc& wanted) {
      memory to(wanted, engine_);
      reorder(memory(plain, engine_, from), to);
      return to;
    };
    eigan::Matrix<float> packed_x = x, packed_dy = dy;  // without the gaps between columns
    const auto fresh = [&](const memory::desc& wanted) { return memory(wanted, engine_); };
    const memory bias = take(b, desc(bs, Tag::x), desc(bs, Tag::x));
    std::vector<Pass> offers[3];
    // oneDNN's first choice is not always its fastest: of plain layouts it makes other ones.
    for (const Tag tag : {Tag::any, Tag::abcd}) {
      const auto laid_out = [&](const memory::dims& dims) { return desc(dims, tag); };
      const dnnl::convolution_forward::primitive_desc forward(
          {dnnl::prop_kind::forward_training, kind, laid_out(xs), laid_out(ws), desc(bs, Tag::x), laid_out(ys), stride,
           padding, padding},
          engine_);
      const dnnl::convolution_backward_data::primitive_desc input(
          {kind, laid_out(xs), laid_out(ws), laid_out(ys), stride, padding, padding}, engine_, forward);
      const dnnl::convolution_backward_weights::primitive_desc params(
          {kind, laid_out(xs), laid_out(ws), desc(bs, Tag::x), laid_out(ys), stride, padding, padding}, engine_,
          forward);
      const memory y = fresh(forward.dst_desc()), dx = fresh(input.diff_src_desc());
      const memory dw = fresh(params.diff_weights_desc());
      offers[0].push_back({dnnl::convolution_forward(forward),
                           {{DNNL_ARG_SRC, take(packed_x.data(), plain_x_, forward.src_desc())},
                            {DNNL_ARG_WEIGHTS, take(w, plain_w_, forward.weights_desc())},
                            {DNNL_ARG_BIAS, bias},
                            {DNNL_ARG_DST, y}},
                           y,
                           forward.impl_info_str()});
      offers[1].push_back({dnnl::convolution_backward_data(input),
                           {{DNNL_ARG_DIFF_DST, take(packed_dy.data(), plain_y_, input.diff_dst_desc())},
                            {DNNL_ARG_WEIGHTS, take(w, plain_w_, input.weights_desc())},
                            {DNNL_ARG_DIFF_SRC, dx}},
                           dx,
                           input.impl_info_str()});
      offers[2].push_back({dnnl::convolution_backward_weights(params),
                           {{DNNL_ARG_SRC, take(packed_x.data(), plain_x_, params.src_desc())},
                            {DNNL_ARG_DIFF_DST, take(packed_dy.data(), plain_y_, params.diff_dst_desc())},
                            {DNNL_ARG_DIFF_WEIGHTS, dw},
                            {DNNL_ARG_DIFF_BIAS, fresh(desc(bs, Tag::x))}},
                           dw,
                           params.impl_info_str()});
    }
    for (std::size_t i = 0; i < 3; ++i) choose(offers[i], passes_[i]);
  }

  void run(std::size_t direction) {
    passes_[direction].primitive.execute(stream_, passes_[direction].arguments);
    stream_.wait();
  }
  const std::string& implementation(std::size_t direction) const { return passes_[direction].name; }

  /// The result of forward, to input or to weights, in eigan's order, without gaps.
  eigan::Matrix<float> result(std::size_t direction, eigan::Index rows, eigan::Index cols) {
    const dnnl::memory::desc& plain = direction == 0 ? plain_y_ : direction == 1 ? plain_x_ : plain_w_;
    eigan::Matrix<float> values(rows, cols);
    dnnl::memory to(plain, engine_, values.data());
    reorder(passes_[direction].result, to);
    return values;
  }

 private:
  struct Pass {
    dnnl::primitive primitive;
    std::unordered_map<int, dnnl::memory> arguments;
    dnnl::memory result;
    std::string name;
    double seconds = 0;
  };

  /// Keeps the fastest of what was offered: the least of many runs in turns. On one thread that is the thread's own
  /// time, because a busy machine would have the wrong one chosen.
  void choose(std::vector<Pass>& offers, Pass& best) {
    for (int run = 0; run < 20; ++run)
      for (Pass& pass : offers) {
        const double seconds = clock_([&] {
          pass.primitive.execute(stream_, pass.arguments);
          stream_.wait();
        });
        pass.seconds = run == 0 ? seconds : std::min(pass.seconds, seconds);
      }
    best = *std::min_element(offers.begin(), offers.end(),
                             [](const Pass& a, const Pass& b) { return a.seconds < b.seconds; });
  }

  void reorder(dnnl::memory from, dnnl::memory& to) {
    dnnl::reorder(from, to).execute(stream_, from, to);
    stream_.wait();
  }

  Clock clock_;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  dnnl::memory::desc plain_x_, plain_w_, plain_y_;
  Pass passes_[3];
};

}  // namespace bench
