// Confusion: which digit was taken for which, counted, and as a table.
#pragma once

#include <algorithm>
#include <array>
#include <string>

#include <eigan/core/types.hpp>

#include "kit/text.hpp"

#include "recogniser.hpp"

namespace mnist_recogniser {

class Confusion {
 public:
  void add(int label, int found) { ++count(label, found); }

  Index images() const {
    Index sum = 0;
    for (int label = 0; label < digit_count; ++label) sum += images_of(label);
    return sum;
  }
  Index right() const {
    Index sum = 0;
    for (int label = 0; label < digit_count; ++label) sum += count(label, label);
    return sum;
  }

  /// A row for each digit, a column for what it was taken for, and how many of it were right.
  std::string table() const {
    using kit::concat;
    std::size_t width = 4;
    for (const Index n : counts_) width = std::max(width, std::to_string(n).size() + 2);
    const auto right_aligned = [](const std::string& text, std::size_t room) {
      return std::string(room - std::min(room, text.size()), ' ') + text;
    };
    std::string text = "     ";
    for (int found = 0; found < digit_count; ++found) text += right_aligned(std::to_string(found), width);
    text += "     known\n";
    for (int label = 0; label < digit_count; ++label) {
      text += right_aligned(std::to_string(label), 5);
      for (int found = 0; found < digit_count; ++found) {
        const Index n = count(label, found);
        text += right_aligned(n == 0 ? "." : std::to_string(n), width);
      }
      const Index all = images_of(label);
      const double known = static_cast<double>(count(label, label)) / static_cast<double>(std::max<Index>(all, 1));
      text += concat(right_aligned(all == 0 ? "-" : kit::percent(known), 10), '\n');
    }
    return text;
  }

 private:
  Index& count(int label, int found) { return counts_[index(label, found)]; }
  Index count(int label, int found) const { return counts_[index(label, found)]; }
  static std::size_t index(int label, int found) { return static_cast<std::size_t>(label * digit_count + found); }
  Index images_of(int label) const {
    Index sum = 0;
    for (int found = 0; found < digit_count; ++found) sum += count(label, found);
    return sum;
  }

  std::array<Index, digit_count * digit_count> counts_{};
};

}  // namespace mnist_recogniser
