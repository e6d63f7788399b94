#include "support.hpp"

#include <eigan/data/qmnist.hpp>

using eigan::load_qmnist;
using eigan::Split;
using test::Bytes;
using test::contains;
using test::idx;

namespace {

/// Rows of eight integers of which the first is the label.
Bytes rows(const std::vector<std::uint8_t>& labels) {
  Bytes bytes;
  for (const std::uint8_t label : labels) {
    bytes.insert(bytes.end(), {0, 0, 0, label});
    bytes.insert(bytes.end(), 28, 1);
  }
  return bytes;
}

}  // namespace

TEST_CASE("load_qmnist: the first of eight integers is the label") {
  const test::TemporaryFolder folder;
  folder.write("qmnist-test-images-idx3-ubyte.gz", test::gzip(idx(8, {2, 28, 28}, test::counting(2 * 784))));
  folder.write("qmnist-test-labels-idx2-int.gz", test::gzip(idx(0x0C, {2, 8}, rows({7, 2}))));
  const auto digits = load_qmnist(folder.path(), Split::test);
  CHECK(digits.labels == Bytes{7, 2});
  CHECK(digits.pixels == test::counting(2 * 784));
}

TEST_CASE("load_qmnist: what is damaged or missing is told") {
  const test::TemporaryFolder folder;
  const auto error = [&] { return test::error_of([&] { load_qmnist(folder.path(), Split::train); }); };
  CHECK(contains(error(), "no qmnist-train-images-idx3-ubyte (nor with .gz); scripts/fetch-mnist --set qmnist " +
                              folder.path().string() + " gets QMNIST"));
  folder.write("qmnist-train-images-idx3-ubyte", idx(8, {1, 28, 28}, Bytes(784)));
  folder.write("qmnist-train-labels-idx2-int", idx(8, {1}, {3}));
  CHECK(contains(error(), "holds unsigned bytes (IDX type 0x08), only 32-bit integers (0x0c) are read"));
  folder.write("qmnist-train-labels-idx2-int", idx(0x0C, {1, 8}, Bytes(31)));
  CHECK(contains(error(), "declares 1 x 8 = 8 values, but ends after 7 of them"));
  folder.write("qmnist-train-labels-idx2-int", idx(0x0C, {1, 8}, rows({10})));
  CHECK(contains(error(), "label 10 of image 0, expected 0 to 9"));
}
