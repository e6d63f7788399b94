// What a translation that learns nothing scores: figures that a network must beat.
#pragma once

#include <vector>

#include "picture_set.hpp"

namespace image_to_image {

/// Of test pictures, values from 0 to 1: mean absolute differences (L1), and decibels (PSNR), -10 log10 of the mean
/// squared difference of all pictures, at most 100.
struct Baselines {
  double identity_l1 = 0, identity_psnr = 0;  ///< a handed on as it is, grey in each channel; of paired pictures alone
  double mean_l1 = 0;                         ///< the mean of the training pictures of b, in place of each test picture
  double nearest_l1 = 0;  ///< the b of the training picture whose a is nearest to the test picture's a
};

/// L1 and PSNR of pictures beside others. Where one set is grey and the other is not, each channel is compared with
/// grey.
struct Difference {
  double l1 = 0, psnr = 0;
};
Difference difference(const PictureSet& x, const PictureSet& y);

/// Picture by picture the same L1, the mean squared difference, and the L1 of mean colours: what is left of the L1 when
/// differences are first averaged over a picture, channel by channel.
struct Differences {
  std::vector<double> l1, squared, l1_of_means;
};
Differences differences(const PictureSet& x, const PictureSet& y);

/// Baselines of paired test pictures. At most `most` of them are looked for among the training pictures.
Baselines baselines(const TwoDomains& train, const TwoDomains& test, Index most = 1000);

}  // namespace image_to_image
