#include <eigan/testing/check_gradients.hpp>

#include "testing/right_layers.hpp"

using namespace faults;
using testing::check_gradients;

namespace {

struct NoParts : Parted {
  Index part_count() const { return 0; }
};
struct LeavesTheLastPart : Parted {
  void forward_parts(P p, C x, V y, Index first, Index last) const {
    if (first < 3) Parted::forward_parts(p, x, y, first, std::min<Index>(last, 3));
  }
};
struct OnlyOnePartOfACall : Parted {
  void backward_input_parts(P p, C x, C y, C dy, V dx, Index first, Index) const {
    Parted::backward_input_parts(p, x, y, dy, dx, first, first + 1);
  }
};
struct AddsItsParts : Parted {
  void backward_input_parts(P, C, C, C dy, V dx, Index first, Index last) const {
    dx.middleRows(first, last - first) += 2 * dy.middleRows(first, last - first);
  }
};
struct OtherBits : Parted {
  void forward_parts(P, C x, V y, Index first, Index last) const {
    y.middleRows(first, last - first) =
        (last - first == 4 ? 2 : 2.0000000000000004) * x.middleRows(first, last - first);
  }
};
/// All parts are right, but each also writes the first row, so that two threads would.
struct WritesAnothersRow : Parted {
  void forward_parts(P p, C x, V y, Index first, Index last) const {
    Parted::forward_parts(p, x, y, first, last);
    y.row(0) = 2 * x.row(0);
  }
};
struct WritesBehindY : Parted {
  void forward_parts(P p, C x, V y, Index first, Index last) const {
    Parted::forward_parts(p, x, y, first, last);
    y.data()[y.rows()] = 0;
  }
};
struct CoupledPartsOverlap : Centre {
  void forward_parts(Prepared<double> p, C x, V y, Index first, Index last) const {
    Centre::forward_parts(p, x, y, first, last);
    y.row(2) = p.prepared[0] * (x.row(2).array() - x.row(2).mean());
  }
};

}  // namespace

TEST_CASE("check_parts: what is right passes") {
  passes(check_gradients(Parted{}));
  passes(check_gradients(Centre{}));
}

TEST_CASE("check_parts: all parts together are the whole, in any calls, to the last bit") {
  CHECK(reports(check_gradients(NoParts{}), "part_count: must be at least 1, is 0"));
  CHECK(
      reports(check_gradients(LeavesTheLastPart{}), "forward_parts: differs from the whole, all in one call, batch 1"));
  CHECK(reports(check_gradients(OnlyOnePartOfACall{}), "backward_input_parts: differs from the whole, two calls"));
  CHECK(reports(check_gradients(AddsItsParts{}), "backward_input_parts: differs from the whole, one a call"));
  CHECK(reports(check_gradients(OtherBits{}), "forward_parts: differs from the whole, one a call"));
}

TEST_CASE("check_parts: a part writes what is its own") {
  CHECK(reports(check_gradients(WritesAnothersRow{}), "forward_parts: parts 0 and 1 both write element 0, batch 1"));
  CHECK(reports(check_gradients(WritesBehindY{}), "forward_parts: writes outside, all in one call, batch 1"));
  CHECK(reports(check_gradients(CoupledPartsOverlap{}), "forward_parts: parts 0 and 1 both write element 2, batch 1"));
}
