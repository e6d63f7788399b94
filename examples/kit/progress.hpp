// Progress: one line that is drawn again and again on a terminal, and a plain line an epoch everywhere.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

#include <eigan/core/types.hpp>

#include "clock.hpp"
#include "columns.hpp"
#include "terminal.hpp"
#include "text.hpp"

namespace kit {

/// How long a training is.
struct Plan {
  eigan::Index epochs;
  eigan::Index steps_per_epoch;
  eigan::Index images_per_epoch;

  eigan::Index steps() const { return epochs * steps_per_epoch; }
};

class Progress {
 public:
  enum class Detail { none, epochs, live };

  /// The columns must outlive it.
  Progress(Plan plan, const Columns& columns, Detail detail, bool colour)
      : plan_(plan), columns_(columns), detail_(detail), colour_(colour) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  /// done: steps of this epoch that have been done already.
  void start_epoch(eigan::Index epoch, eigan::Index done) {
    epoch_ = epoch;
    epoch_done_ = done;
    epoch_start_ = Clock::now();
  }

  /// After each step, with the means of the epoch so far. Draws ten times a second at most.
  void step(const Means& so_far) {
    ++steps_;
    if (detail_ != Detail::live || seconds_since(drawn_) < 0.1) return;
    drawn_ = Clock::now();
    const eigan::Index done = (epoch_ - 1) * plan_.steps_per_epoch + so_far.count();
    const double left = seconds_since(start_) * static_cast<double>(plan_.steps() - done) / static_cast<double>(steps_);
    const std::string head = concat("epoch ", epoch_number(), ' ');
    std::string tail = concat(duration(left), " left ");
    for (std::size_t i = 0; i < columns_.size(); ++i) tail += concat(' ', columns_[i].brief, ' ', fixed(so_far[i], 2));
    tail += concat(' ', speed(so_far));

    const auto room = static_cast<std::size_t>(std::max(Terminal::columns() - 1, 1));
    const std::size_t words = head.size() + tail.size() + 3;
    const std::string line = words + 4 <= room
                                 ? concat(head, bar(std::min<std::size_t>(room - words, 30), so_far.count()), ' ', tail)
                                 : concat(head, tail).substr(0, room);
    write(concat("\r\033[K", line));
    visible_ = true;
  }

  void end_epoch(const Means& epoch) {
    if (detail_ == Detail::none) return;
    std::string line = concat("epoch ", epoch_number());
    for (std::size_t i = 0; i < columns_.size(); ++i)
      line += concat("  ", columns_[i].label, ' ', fixed(epoch[i], columns_[i].digits));
    clear();
    write(concat(line, "  ", speed(epoch), "  ", duration(seconds_since(epoch_start_)), '\n'));
  }

  /// Takes the drawn line away, e.g. before a message.
  void clear() {
    if (visible_) write("\r\033[K");
    visible_ = false;
  }

 private:
  static void write(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
  }

  std::string epoch_number() const {
    const std::string all = std::to_string(plan_.epochs), number = std::to_string(epoch_);
    return concat(std::string(all.size() - number.size(), ' '), number, '/', all);
  }

  std::string speed(const Means& so_far) const {
    const double part = static_cast<double>(so_far.count() - epoch_done_) / static_cast<double>(plan_.steps_per_epoch);
    const double images = static_cast<double>(plan_.images_per_epoch) * part;
    return concat(compact(images / std::max(seconds_since(epoch_start_), 1e-9)), " img/s");
  }

  std::string bar(std::size_t width, eigan::Index done) const {
    const std::size_t filled = width * static_cast<std::size_t>(done) / static_cast<std::size_t>(plan_.steps_per_epoch);
    std::string text(width, ' ');
    std::fill_n(text.begin(), filled, '=');
    if (filled < width) text[filled] = '>';
    return colour_ ? concat("[\033[32m", text, "\033[0m]") : concat('[', text, ']');
  }

  Plan plan_;
  const Columns& columns_;
  Detail detail_;
  bool colour_;
  bool visible_ = false;
  eigan::Index epoch_ = 1;
  eigan::Index epoch_done_ = 0;
  Clock::time_point start_ = Clock::now();
  eigan::Index steps_ = 0;  ///< since then; some may have been given up
  Clock::time_point epoch_start_ = start_;
  Clock::time_point drawn_{};
};

}  // namespace kit
