#include "digit_image.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/view.hpp>

#include "blobs.hpp"
#include "digit_size.hpp"
#include "ink.hpp"

namespace mnist_recogniser {
namespace {

using eigan::Matrix;

constexpr Index digit_side = 20;
/// Digits this large are not scaled.
constexpr Index smallest_as_it_is = 18;
/// What is smaller shows nothing.
constexpr Index least_side = 5;

using Kept = std::vector<Blob>;

Box box_of(const Kept& blobs) {
  Box box;
  for (const Blob& blob : blobs) box.include(blob.box);
  return box;
}

double part(Index size, Index of) {
  return static_cast<double>(size) / static_cast<double>(std::max<Index>(of, 1));
}

/// Whether a blob stands along one edge of the picture: a shadow, the rest of a frame.
bool is_edge(const Box& box, Index rows, Index cols) {
  const auto along = [](const Range& thin, Index across, const Range& wide, Index length) {
    const bool at_edge = thin.first == 0 || thin.last == across;
    return at_edge && part(thin.size(), across) <= 0.12 && part(wide.size(), length) >= 0.5;
  };
  return along(box.rows, rows, box.cols, cols) || along(box.cols, cols, box.rows, rows);
}

/// Whether a blob is a thin line around others.
bool is_frame(const Blob& frame, const Kept& all, Index rows, Index cols) {
  const Box& box = frame.box;
  if (part(box.rows.size(), rows) < 0.75 || part(box.cols.size(), cols) < 0.75) return false;
  if (frame.pixels > box.rows.size() * box.cols.size() / 4) return false;
  Index inside = 0;
  for (const Blob& blob : all)
    if (&blob != &frame && blob.box.rows.lies_in(box.rows) && blob.box.cols.lies_in(box.cols)) inside += blob.pixels;
  return part(inside, frame.pixels) > 0.25;
}

/// The blobs that make up what is drawn.
Kept without_clutter(const Blobs& blobs) {
  const Index rows = blobs.owner.rows(), cols = blobs.owner.cols();
  const auto keep_unless = [](const Kept& from, const auto& leave) {
    Kept kept;
    for (const Blob& blob : from)
      if (!leave(blob)) kept.push_back(blob);
    return kept.empty() ? from : kept;
  };
  Kept kept = keep_unless(blobs.all, [&](const Blob& blob) { return is_frame(blob, blobs.all, rows, cols); });
  kept = keep_unless(kept, [&](const Blob& blob) { return is_edge(blob.box, rows, cols); });
  Index largest = 0;
  for (const Blob& blob : kept) largest = std::max(largest, blob.pixels);
  return keep_unless(kept, [&](const Blob& blob) { return part(blob.pixels, largest) < 0.03; });
}

/// Whether the blobs fall apart into two groups, one beside or above the other, that both are as large as digits. A
/// digit whose strokes do not meet is narrower than two of them.
bool are_several(const Kept& blobs) {
  constexpr std::size_t most_strokes = 30;
  const Box box = box_of(blobs);
  if (blobs.size() > most_strokes || part(box.cols.size(), box.rows.size()) > 1.5) return true;  // they may touch
  const auto fall_apart = [&](Range Box::*along, Range Box::*across, double least_alike, double least_shape) {
    Kept sorted = blobs;
    std::sort(sorted.begin(), sorted.end(),
              [&](const Blob& a, const Blob& b) { return (a.box.*along).first < (b.box.*along).first; });
    for (std::size_t cut = 1; cut < sorted.size(); ++cut) {
      const Box first = box_of({sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(cut)});
      const Box second = box_of({sorted.begin() + static_cast<std::ptrdiff_t>(cut), sorted.end()});
      if ((first.*along).last > (second.*along).first) continue;
      const Index a = first.rows.size(), b = second.rows.size();
      if (part(std::min(a, b), std::max(a, b)) >= least_alike &&
          part((box.*along).size(), (box.*across).size()) >= least_shape)
        return true;
    }
    return false;
  };
  return fall_apart(&Box::cols, &Box::rows, 0.6, 0.8) || fall_apart(&Box::rows, &Box::cols, 0.6, 1.8);
}

/// With the pixels around it, where there are some: the faint edges of strokes.
Box with_edges(const Box& box, Index rows, Index cols) {
  const auto wider = [](const Range& range, Index end) {
    return Range{std::max<Index>(range.first - 1, 0), std::min(range.last + 1, end)};
  };
  return {wider(box.rows, rows), wider(box.cols, cols)};
}

/// The ink of the blobs in their box, edges of strokes included.
Matrix<float> cut_out(const Ink& ink, const Blobs& blobs, const Kept& kept, const Box& box) {
  const Index rows = blobs.owner.rows(), cols = blobs.owner.cols();
  std::vector<bool> is_kept(blobs.all.size());
  for (const Blob& blob : kept) is_kept[static_cast<std::size_t>(blob.number)] = true;
  const auto near = [&](Index row, Index col) {
    for (Index r = std::max<Index>(row - 1, 0); r <= std::min(row + 1, rows - 1); ++r)
      for (Index c = std::max<Index>(col - 1, 0); c <= std::min(col + 1, cols - 1); ++c)
        if (const int owner = blobs.owner(r, c); owner >= 0 && is_kept[static_cast<std::size_t>(owner)]) return true;
    return false;
  };
  Matrix<float> digit = Matrix<float>::Zero(box.rows.size(), box.cols.size());
  for (Index row = 0; row < digit.rows(); ++row)
    for (Index col = 0; col < digit.cols(); ++col)
      if (near(box.rows.first + row, box.cols.first + col))
        digit(row, col) = ink.strength(box.rows.first + row, box.cols.first + col);
  return digit;
}

bool is_of_size(const Box& box) {
  return box.longest() >= smallest_as_it_is && box.longest() <= digit_side;
}

Matrix<float> scaled(const Matrix<float>& digit) {
  const Index longest = std::max(digit.rows(), digit.cols());
  const auto side = [&](Index size) { return std::max<Index>((2 * digit_side * size + longest) / (2 * longest), 1); };
  const Matrix<float> turned = with_rows(digit, side(digit.rows())).transpose();
  return with_rows(turned, side(digit.cols())).transpose();
}

/// Where a digit of `size` begins so that `centre`, counted from its first pixel, comes to lie in the middle; it stays
/// inside the image.
Index placed(Index size, float centre) {
  const auto start = static_cast<Index>(std::lround((image_side - 1) / 2.0f - centre));
  return std::clamp<Index>(start, 0, image_side - size);
}

}  // namespace

void write_digit(const GreyImage& image, std::span<float> out) {
  if (out.size() != static_cast<std::size_t>(image_size)) {
    eigan::detail::fail_contract("write_digit: room for ", out.size(), " values, expected ", image_size);
  }
  const Ink ink = find_ink(image);
  const Blobs blobs = find_blobs(ink);
  const Kept kept = without_clutter(blobs);
  const Box box = box_of(kept);
  if (box.longest() < least_side)
    eigan::detail::fail_data("expected a digit, found nothing of ", least_side, " pixels or more");
  if (are_several(kept)) eigan::detail::fail_data("expected one digit, found several");

  Matrix<float> digit = is_of_size(box)
                            ? cut_out(ink, blobs, kept, with_edges(box, ink.strength.rows(), ink.strength.cols()))
                            : scaled(cut_out(ink, blobs, kept, box));
  digit /= digit.maxCoeff();  // thin lines have become faint
  const float mass = digit.sum();
  float centre_row = 0, centre_col = 0;
  for (Index row = 0; row < digit.rows(); ++row) centre_row += static_cast<float>(row) * digit.row(row).sum() / mass;
  for (Index col = 0; col < digit.cols(); ++col) centre_col += static_cast<float>(col) * digit.col(col).sum() / mass;
  eigan::View<float> result(out.data(), image_side, image_side);  // transposed: an image is row-major
  result.setConstant(-1);
  result.block(placed(digit.cols(), centre_col), placed(digit.rows(), centre_row), digit.cols(), digit.rows()) =
      2 * digit.transpose().array() - 1;
}

}  // namespace mnist_recogniser
