// oneDNN: the convolutions of a training step of a network of images and nothing else, each by the fastest of its
// primitives, in the layouts that this one likes best: no change of layout between layers is counted.
#include <dnnl_version.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "../image_steps.hpp"
#include "../paired/serve.hpp"
#include "../products/convolution_onednn.hpp"
#include "../products/step_convolutions.hpp"

namespace {

/// A convolution on numbers of its own.
struct Prepared {
  explicit Prepared(const bench::StepConvolution& c)
      : runs(c.runs),
        x(c.convolution.shape.in_size(), c.convolution.samples),
        dy(c.convolution.shape.out_size(), c.convolution.samples),
        w(c.convolution.shape.weights(), 1),
        b(c.convolution.shape.out, 1) {
    for (eigan::Matrix<float>* m : {&x, &dy, &w, &b}) bench::fill_with_noise({m->data(), m->rows(), m->cols()});
    convolution = std::make_unique<bench::OneDnnConvolution>(
        c.convolution, eigan::View<float>(x.data(), x.rows(), x.cols()), w.data(), b.data(),
        eigan::View<float>(dy.data(), dy.rows(), dy.cols()), bench::wall_time);
  }
  std::array<int, 3> runs;
  eigan::Matrix<float> x, dy, w, b;
  std::unique_ptr<bench::OneDnnConvolution> convolution;
};

}  // namespace

int main(int argc, char** argv) {
  return bench::image_contender_main(argc, argv, [](const bench::ImageStep& step, int) {
    std::vector<std::unique_ptr<Prepared>> all;
    for (const bench::StepConvolution& c : bench::step_convolutions(step.name))
      all.push_back(std::make_unique<Prepared>(c));
    const std::string version = std::to_string(dnnl_version()->major) + '.' + std::to_string(dnnl_version()->minor);
    return bench::serve(bench::about_image_step("oneDNN " + version + ", convolutions alone"), [&] {
      for (const auto& c : all)
        for (std::size_t direction = 0; direction < 3; ++direction)
          for (int i = 0; i < c->runs[direction]; ++i) c->convolution->run(direction);
    });
  });
}
