// Milestones: how long a training took to know so many images.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kit/text.hpp"

namespace mnist_recogniser {

/// Accuracies, and how long it took to reach them.
class Milestones {
 public:
  /// What of them is reached now, after so many seconds of training.
  std::string reach(double accuracy, double seconds) {
    std::string text;
    for (Milestone& m : all_) {
      if (m.seconds || accuracy < m.accuracy) continue;
      m.seconds = seconds;
      text += kit::concat("  ", kit::percent(m.accuracy, 1), " reached");
    }
    return text;
  }
  std::string text() const {
    std::string text;
    for (const Milestone& m : all_) {
      text += kit::concat(text.empty() ? "" : ", ", kit::percent(m.accuracy, 1), ' ',
                          m.seconds ? kit::concat("after ", kit::fixed(*m.seconds, 2), " s") : "not reached");
    }
    return text;
  }

 private:
  struct Milestone {
    double accuracy;
    std::optional<double> seconds;
  };
  std::vector<Milestone> all_{{0.985, {}}, {0.99, {}}, {0.993, {}}, {0.995, {}}};
};

}  // namespace mnist_recogniser
