#include "support.hpp"

#include <eigan/data/emnist.hpp>

using eigan::load_emnist;
using eigan::Split;
using test::Bytes;
using test::contains;
using test::idx;

TEST_CASE("load_emnist: upright images, labels from 0, in the folder or in its archive's") {
  const test::TemporaryFolder folder;
  Bytes pixels(2 * 784, 0);
  pixels[3 * 28 + 5] = 200;     // of the first image: row 3, column 5 in the file
  pixels[784 + 27 * 28] = 100;  // of the second: row 27, column 0
  std::filesystem::create_directory(folder.path() / "gzip");
  folder.write("gzip/emnist-letters-train-images-idx3-ubyte.gz", test::gzip(idx(8, {2, 28, 28}, pixels)));
  folder.write("emnist-letters-train-labels-idx1-ubyte", idx(8, {2}, {1, 26}));
  const auto letters = load_emnist(folder.path(), "letters", Split::train);
  CHECK(letters.count == 2);
  CHECK(letters.labels == Bytes{0, 25});
  CHECK(letters.pixels[5 * 28 + 3] == 200);
  CHECK(letters.pixels[784 + 27] == 100);
  CHECK(letters.pixels[3 * 28 + 5] == 0);
}

TEST_CASE("load_emnist: what is missing, no label of the split, or no split at all") {
  const test::TemporaryFolder folder;
  const auto error = [&](const char* name) {
    return test::error_of([&] { load_emnist(folder.path(), name, Split::test); });
  };
  CHECK(contains(error("digits"),
                 "no emnist-digits-test-images-idx3-ubyte (nor with .gz); scripts/fetch-mnist --set emnist " +
                     folder.path().string() + " gets EMNIST"));
  folder.write("emnist-letters-test-images-idx3-ubyte", idx(8, {1, 28, 28}, Bytes(784)));
  folder.write("emnist-letters-test-labels-idx1-ubyte", idx(8, {1}, {0}));
  CHECK(contains(error("letters"), "label 0 of image 0, expected 1 to 26"));
  CHECK_THROWS_AS(load_emnist(folder.path(), "latin", Split::test), std::invalid_argument);
}
