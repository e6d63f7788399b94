// Every loss as a function of y, places for its gradient included, for what all of them share.
#pragma once

#include <vector>

#include <eigan/losses/bce.hpp>
#include <eigan/losses/bce_with_logits.hpp>
#include <eigan/losses/cross_entropy.hpp>
#include <eigan/losses/huber.hpp>
#include <eigan/losses/kl_divergence.hpp>
#include <eigan/losses/l1.hpp>
#include <eigan/losses/mse.hpp>

#include "support.hpp"

namespace losses {

using namespace eigan;

/// With a gradient the one, without it the other.
template <class With, class Without>
struct Either : With, Without {
  using With::operator();
  using Without::operator();
};
template <class With, class Without>
Either(With, Without) -> Either<With, Without>;

/// f(name, loss) for every loss; loss(columns, dy..., weights...) takes the samples named by `columns`.
template <class F>
void for_each(const F& f) {
  using Columns = std::vector<Index>;
  static const auto y = support::random_matrix<double>(4, 5, 1, 0.05, 0.95);
  static const auto target = support::random_matrix<double>(4, 5, 2, 0, 1);
  static const std::vector<int> labels{3, 0, 1, 1, 2};
  const auto part = [](const Matrix<double>& m, const Columns& c) -> Matrix<double> { return m(Eigen::all, c); };
  const auto some_labels = [](const Columns& c) {
    std::vector<int> some;
    for (const Index j : c) some.push_back(labels[static_cast<std::size_t>(j)]);
    return some;
  };
  f("mse", [=](const Columns& c, auto... rest) { return mse<double>(part(y, c), part(target, c), rest...); });
  f("l1", [=](const Columns& c, auto... rest) { return l1<double>(part(y, c), part(target, c), rest...); });
  f("bce", [=](const Columns& c, auto... rest) { return bce<double>(part(y, c), part(target, c), rest...); });
  f("bce, one target", [=](const Columns& c, auto... rest) { return bce<double>(part(y, c), 0.9, rest...); });
  f("bce_with_logits",
    [=](const Columns& c, auto... rest) { return bce_with_logits<double>(part(y, c), part(target, c), rest...); });
  f("bce_with_logits, one target",
    [=](const Columns& c, auto... rest) { return bce_with_logits<double>(part(y, c), 0.9, rest...); });
  const auto with_delta = [=](const Columns& c, View<double> dy, auto... weights) {
    return huber<double>(part(y, c), part(target, c), dy, 0.25, weights...);
  };
  const auto huber_alone = [=](const Columns& c, auto... weights) {
    return huber<double>(part(y, c), part(target, c), 0.25, weights...);
  };
  f("huber", Either{with_delta, huber_alone});
  const auto of_labels = [=](const Columns& c, View<double> dy, auto... weights) {
    return cross_entropy<double>(part(y, c), some_labels(c), dy, 1, weights...);
  };
  const auto of_labels_alone = [=](const Columns& c, auto... weights) {
    return cross_entropy<double>(part(y, c), some_labels(c), 1, weights...);
  };
  f("cross_entropy of labels", Either{of_labels, of_labels_alone});
  const auto soft = [=](const Columns& c, View<double> dy, auto... weights) {
    return cross_entropy<double>(part(y, c), part(target, c), dy, 1, weights...);
  };
  const auto soft_alone = [=](const Columns& c, auto... weights) {
    return cross_entropy<double>(part(y, c), part(target, c), 1, weights...);
  };
  f("cross_entropy of probabilities", Either{soft, soft_alone});
}

}  // namespace losses
