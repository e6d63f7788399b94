#include "prepare.hpp"

#include "kit/exit_code.hpp"
#include "kit/message.hpp"
#include "kit/text.hpp"

#include "baselines.hpp"

namespace image_to_image {

using namespace kit;

namespace {

std::string counts(const TwoDomains& part) {
  if (part.paired) return concat(grouped(part.a.count), " pairs");
  return concat(grouped(part.a.count), " of a, ", grouped(part.b.count), " of b");
}

}  // namespace

int prepare(const PrepareOptions& options) {
  const Task& task = *options.task;
  const Sources sources{options.data.empty() ? task.data : options.data,
                        options.mnist.empty() ? "data/mnist" : options.mnist, options.size};
  const TaskData data = task.make(sources);
  const std::string out = options.out.empty() ? concat("data/prepared/", task.name) : options.out;
  write_task(out, data);
  print(out, ": ", data.info.task);
  print("  a: ", data.info.a, ", ", picture_text(data.train.a));
  print("  b: ", data.info.b, ", ", picture_text(data.train.b));
  print("  licence: ", data.info.licence);
  print("  train: ", counts(data.train));
  print("  validation: ", counts(data.validation));
  print("  test: ", counts(data.test));
  const Baselines base = baselines(data.train, data.test);
  print("  L1 of b's mean picture: ", fixed(base.mean_l1, 4));
  if (data.test.paired)
    print("  L1 of a as it is: ", fixed(base.identity_l1, 4), ", PSNR ", fixed(base.identity_psnr, 1), " dB");
  if (data.test.paired && data.train.paired)
    print("  L1 of the nearest training picture's b: ", fixed(base.nearest_l1, 4));
  return success;
}

}  // namespace image_to_image
