#include "support.hpp"

#include <array>
#include <eigan/data/mnist.hpp>
#include <utility>

using eigan::load_mnist;
using eigan::Split;
using test::Bytes;
using test::contains;
using test::idx;

namespace {

Bytes images(std::uint32_t count) {
  return idx(8, {count, 28, 28}, test::counting(std::size_t{count} * 784));
}

std::string error_of(const std::filesystem::path& folder, Split split = Split::train) {
  return test::error_of([&] { load_mnist(folder, split); });
}

/// How many images of each class.
std::array<int, 10> histogram(const eigan::LabelledImages& data) {
  std::array<int, 10> counts{};
  for (const auto label : data.labels) ++counts[label];
  return counts;
}

}  // namespace

TEST_CASE("load_mnist: finds the files under all their names, plain and gzip") {
  for (const char* separator : {"-", "."}) {
    for (const bool packed : {false, true}) {
      const test::TemporaryFolder folder;
      const auto write = [&](const std::string& stem, const std::string& kind, const Bytes& bytes) {
        std::string name = stem;
        name += separator;
        name += kind;
        if (packed) name += ".gz";
        folder.write(name, packed ? test::gzip(bytes) : bytes);
      };
      write("train-images", "idx3-ubyte", images(3));
      write("train-labels", "idx1-ubyte", idx(8, {3}, {9, 0, 5}));
      write("t10k-images", "idx3-ubyte", images(1));
      write("t10k-labels", "idx1-ubyte", idx(8, {1}, {7}));
      const auto train = load_mnist(folder.path(), Split::train);
      CHECK(train.rows == 28);
      CHECK(train.cols == 28);
      CHECK(train.features() == 784);
      CHECK(train.count == 3);
      CHECK(train.pixels == test::counting(3 * 784));
      CHECK(train.labels == Bytes{9, 0, 5});
      CHECK(load_mnist(folder.path(), Split::test).labels == Bytes{7});
    }
  }
}

TEST_CASE("load_mnist: what is missing is named, with the way to get it") {
  const test::TemporaryFolder folder;
  const auto missing = folder.path() / "none";
  CHECK(error_of(missing) ==
        missing.string() + ": no such folder; scripts/fetch-mnist " + missing.string() + " gets MNIST");
  CHECK(contains(error_of(folder.write("file", {1})), "expected the folder"));
  const auto no_images = error_of(folder.path());
  CHECK(contains(no_images, "no train-images-idx3-ubyte nor train-images.idx3-ubyte (nor with .gz)"));
  CHECK(contains(no_images, "scripts/fetch-mnist " + folder.path().string()));
  folder.write("train-images-idx3-ubyte", images(1));
  CHECK(contains(error_of(folder.path()), "no train-labels-idx1-ubyte"));
  CHECK(contains(error_of(folder.path(), Split::test), "no t10k-images-idx3-ubyte"));
}

TEST_CASE("load_mnist: files that do not belong together are refused") {
  const test::TemporaryFolder folder;
  const Bytes labels = idx(8, {2}, {9, 0});
  folder.write("train-labels-idx1-ubyte", labels);
  folder.write("train-images-idx3-ubyte", images(3));
  CHECK(contains(error_of(folder.path()), "train-labels-idx1-ubyte: 2 labels, expected 3"));
  folder.write("train-images-idx3-ubyte", idx(8, {2, 28, 27}, Bytes(2 * 28 * 27)));
  CHECK(contains(error_of(folder.path()), "train-images-idx3-ubyte: images of 28x27, expected 28x28"));
  folder.write("train-images-idx3-ubyte", idx(8, {2, 14, 56}, Bytes(2 * 784)));
  CHECK(contains(error_of(folder.path()), "images of 14x56"));
  folder.write("train-images-idx3-ubyte", labels);
  CHECK(contains(error_of(folder.path()), "train-images-idx3-ubyte: holds labels"));
  folder.write("train-images-idx3-ubyte", images(2));
  folder.write("train-labels-idx1-ubyte", idx(8, {2}, {9, 10}));
  CHECK(contains(error_of(folder.path()), "train-labels-idx1-ubyte: label 10 of image 1, expected 0 to 9"));
}

TEST_CASE("load_mnist: the real MNIST") {
  const char* given = std::getenv("EIGAN_MNIST_DIR");
  const auto folder = given != nullptr ? std::filesystem::path(given)
                                       : std::filesystem::path(__FILE__).parent_path() / "../../data/mnist";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("skipped: MNIST is not in ", folder.string(), "; scripts/fetch-mnist gets it");
    return;
  }
  const auto train = load_mnist(folder, Split::train);
  CHECK(train.count == 60000);
  CHECK(histogram(train) == std::array{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949});
  double sum = 0;
  for (const auto pixel : train.pixels) sum += pixel;
  CHECK(sum / static_cast<double>(train.pixels.size()) == doctest::Approx(0.1307 * 255).epsilon(1e-3));
  const auto test_part = load_mnist(folder, Split::test);
  CHECK(test_part.count == 10000);
  CHECK(histogram(test_part) == std::array{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009});
}

TEST_CASE("load_mnist: Fashion-MNIST as Debian packages it") {
  const std::filesystem::path folder = "/usr/share/datasets/fashion-mnist";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("skipped: Debian's dataset-fashion-mnist is not installed");
    return;
  }
  for (const auto& [split, each] : {std::pair{Split::train, 6000}, std::pair{Split::test, 1000}}) {
    const auto data = load_mnist(folder, split);
    CHECK(data.count == 10 * each);
    for (const int count : histogram(data)) CHECK(count == each);
  }
}
