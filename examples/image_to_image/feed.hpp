// Feed: which pictures which step sees, and how: moved by some pixels, mirrored, cut and put together, so that few
// pictures teach more.
//
// The pictures of step s follow from the seed and s alone, so that training can go on anywhere. One shuffle of all
// pictures follows the other without a break: every batch is whole.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include <eigan/core/rng.hpp>
#include <eigan/core/shape.hpp>
#include <eigan/core/view.hpp>
#include <eigan/data/batches.hpp>

#include "picture_set.hpp"
#include "recipe.hpp"

namespace image_to_image {

inline eigan::Shape shape_of(const PictureSet& set) {
  return {set.channels, set.height, set.width};
}

/// What is done to a picture, and to its partner alike.
struct Alteration {
  Index down = 0, right = 0;
  bool mirrored = false;
};

/// A pixel's place.
struct Place {
  Index row = 0, column = 0;
};

/// Picture i in [-1, 1], the pixels below and right of `first` alone; those at an edge are repeated beyond it.
inline void write_picture(const PictureSet& set, Index i, const Alteration& how, float* picture, Place first = {}) {
  const std::uint8_t* const bytes = set.picture(i).data();
  for (Index r = first.row; r < set.height; ++r) {
    float* to = picture + (r * set.width + first.column) * set.channels;
    for (Index s = first.column; s < set.width; ++s) {
      const Index row = std::clamp(r - how.down, Index{0}, set.height - 1);
      const Index column = std::clamp((how.mirrored ? set.width - 1 - s : s) - how.right, Index{0}, set.width - 1);
      const std::uint8_t* const pixel = bytes + (row * set.width + column) * set.channels;
      for (Index c = 0; c < set.channels; ++c) *to++ = static_cast<float>(pixel[c]) / 127.5F - 1;
    }
  }
}

/// Pictures [first, first + count) of a set in [-1, 1], one a column.
inline eigan::Matrix<float> picture_matrix(const PictureSet& set, Index first, Index count) {
  eigan::Matrix<float> pictures(set.size(), count);
  for (Index j = 0; j < count; ++j) write_picture(set, first + j, {}, pictures.col(j).data());
  return pictures;
}
inline eigan::Matrix<float> picture_matrix(const PictureSet& set) {
  return picture_matrix(set, 0, set.count);
}

class Feed {
 public:
  /// Of `count` pictures.
  Feed(Index count, const Recipe& recipe, eigan::Rng rng)
      : count_(count),
        jitter_(recipe.jitter),
        mirror_(recipe.mirror),
        collage_(recipe.collage),
        rng_(rng),
        order_(count, 1, rng.fold_in(0)),
        chosen_(static_cast<std::size_t>(recipe.batch)),
        alterations_(chosen_.size()),
        seams_(chosen_.size()) {}

  /// Chooses the pictures of a step.
  void choose(Index step) {
    const auto batch = static_cast<Index>(chosen_.size());
    for (Index j = 0; j < batch; ++j) {
      const Index position = step * batch + j;
      if (const Index epoch = position / count_; epoch != epoch_) order_.start_epoch(epoch_ = epoch);
      const auto at = static_cast<std::size_t>(j);
      chosen_[at] = order_.indices(position % count_)[0];
      const auto draw = [&](std::uint64_t what, Index below) {
        return static_cast<Index>(eigan::uniform_below(rng_.fold_in(what), static_cast<std::uint64_t>(position),
                                                       static_cast<std::uint32_t>(below)));
      };
      alterations_[at] = {draw(1, 2 * jitter_ + 1) - jitter_, draw(2, 2 * jitter_ + 1) - jitter_,
                          mirror_ && draw(3, 2) == 1};
      if (collage_) seams_[at] = {draw(4, 2) == 1, draw(5, 2) == 1, 0.25 + static_cast<double>(draw(6, 1024)) / 2048};
    }
  }
  /// Writes the chosen pictures of a set, one a column. Behind a seam is the next one of them.
  void write(const PictureSet& set, eigan::View<float> to) const {
    for (std::size_t j = 0; j < chosen_.size(); ++j) {
      float* const picture = to.data() + static_cast<Index>(j) * to.outerStride();
      write_picture(set, chosen_[j], alterations_[j], picture);
      if (!seams_[j].is_there) continue;
      const std::size_t next = (j + 1) % chosen_.size();
      const auto part = [&](Index side) { return static_cast<Index>(seams_[j].part * static_cast<double>(side)); };
      write_picture(set, chosen_[next], alterations_[next], picture,
                    seams_[j].across ? Place{part(set.height), 0} : Place{0, part(set.width)});
    }
  }

 private:
  /// Where a collage's second picture begins, as a part of the height, or of the width.
  struct Seam {
    bool is_there = false, across = false;
    double part = 0;
  };

  Index count_, jitter_;
  bool mirror_, collage_;
  eigan::Rng rng_;
  eigan::Batches order_;
  Index epoch_ = 0;  // that they are shuffled for
  std::vector<std::uint32_t> chosen_;
  std::vector<Alteration> alterations_;
  std::vector<Seam> seams_;
};

}  // namespace image_to_image
