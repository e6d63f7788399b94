// eigan: neural networks with hand-written gradients. This header brings in the core: layers, losses, optimisers,
// composition and adversarial training. Networks put together at run time (eigan/net/network.hpp), files (eigan/io),
// data sets (eigan/data), the gradient checker (eigan/testing) and the metrics (eigan/metrics.hpp) are separate
// headers, because they need more than the standard library and Eigen/Core, or take long to compile.
#pragma once

#include <eigan/core/buffer.hpp>
#include <eigan/core/error.hpp>
#include <eigan/core/layer.hpp>
#include <eigan/core/parallel.hpp>
#include <eigan/core/random.hpp>
#include <eigan/core/rng.hpp>
#include <eigan/core/types.hpp>
#include <eigan/core/view.hpp>
#include <eigan/gan/losses.hpp>
#include <eigan/gan/networks.hpp>
#include <eigan/gan/r1_penalty.hpp>
#include <eigan/gan/steps.hpp>
#include <eigan/gan/workspace.hpp>
#include <eigan/init/initializers.hpp>
#include <eigan/layers/batch_norm.hpp>
#include <eigan/layers/dropout.hpp>
#include <eigan/layers/elu.hpp>
#include <eigan/layers/gelu.hpp>
#include <eigan/layers/leaky_relu.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/layers/prelu.hpp>
#include <eigan/layers/relu.hpp>
#include <eigan/layers/sigmoid.hpp>
#include <eigan/layers/silu.hpp>
#include <eigan/layers/softplus.hpp>
#include <eigan/layers/tanh.hpp>
#include <eigan/losses/bce.hpp>
#include <eigan/losses/bce_with_logits.hpp>
#include <eigan/losses/cross_entropy.hpp>
#include <eigan/losses/huber.hpp>
#include <eigan/losses/kl_divergence.hpp>
#include <eigan/losses/l1.hpp>
#include <eigan/losses/mse.hpp>
#include <eigan/losses/soft_targets.hpp>
#include <eigan/net/estimate_statistics.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/non_finite.hpp>
#include <eigan/net/scratch.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/net/summary.hpp>
#include <eigan/net/tape.hpp>
#include <eigan/optim/adam.hpp>
#include <eigan/optim/adamw.hpp>
#include <eigan/optim/ema.hpp>
#include <eigan/optim/optimizer.hpp>
#include <eigan/optim/rmsprop.hpp>
#include <eigan/optim/schedules.hpp>
#include <eigan/optim/sgd.hpp>
#include <eigan/version.hpp>
