#include "support.hpp"

#include <eigan/data/load_idx.hpp>

using test::Bytes;
using test::contains;
using test::operator+;  // NOLINT(misc-unused-using-decls): it is used
using test::idx;

TEST_CASE("load_idx: plain and gzip under any name") {
  const test::TemporaryFolder folder;
  const Bytes images = idx(8, {2, 3, 5}, test::counting(30)), labels = idx(8, {3}, {3, 1, 4});
  CHECK(eigan::load_idx_images(folder.write("plain.gz", images)).pixels == test::counting(30));
  CHECK(eigan::load_idx_images(folder.write("packed", test::gzip(images))).pixels == test::counting(30));
  CHECK(eigan::load_idx_labels(folder.write("plain-labels.gz", labels)) == Bytes{3, 1, 4});
  CHECK(eigan::load_idx_labels(folder.write("packed-labels", test::gzip(labels))) == Bytes{3, 1, 4});
}

TEST_CASE("load_idx: errors inside gzip are those of plain files, and gzip's own") {
  const test::TemporaryFolder folder;
  const Bytes images = idx(8, {2, 3, 5}, test::counting(30));
  const auto error = [&](const Bytes& bytes) {
    const auto path = folder.write("file.gz", bytes);
    return test::error_of([&] { eigan::load_idx_images(path); });
  };
  CHECK(contains(error(test::gzip(idx(8, {3}, {3, 1, 4}))), "file.gz: holds labels"));
  CHECK(contains(error(test::bytes_of("<html>403</html>")), "; this is an HTML or XML page"));
  CHECK(contains(error(test::gzip(test::bytes_of("<html>403</html>"))), "; this is an HTML or XML page"));
  CHECK(contains(error(test::gzip(images + Bytes{0})), "more bytes follow them"));
  CHECK(contains(error(test::gzip(test::gzip(images))), "gzip data where plain IDX is expected"));
  CHECK(contains(error(test::gzip(images) + Bytes{0}), "the gzip data end at byte"));
  CHECK(contains(error({}), "an empty file"));
  CHECK(contains(test::error_of([&] { eigan::load_idx_images(folder.path() / "missing"); }), "missing: cannot open"));
}

TEST_CASE("load_idx: cut at any byte, or with a wrong checksum, a gzip file is refused") {
  const test::TemporaryFolder folder;
  const Bytes packed = test::gzip(idx(8, {2, 3, 5}, test::counting(30)));
  for (std::size_t size = 0; size < packed.size(); ++size) {
    CAPTURE(size);
    const auto path = folder.write("cut", {packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(size)});
    CHECK(contains(test::error_of([&] { eigan::load_idx_images(path); }), "cut: "));
  }
  Bytes damaged = packed;
  damaged[packed.size() - 6] ^= 1;
  const auto path = folder.write("wrong", damaged);
  CHECK(contains(test::error_of([&] { eigan::load_idx_images(path); }), "incorrect data check"));
}

TEST_CASE("load_idx: a bomb is not unpacked") {
  const test::TemporaryFolder folder;
  const std::size_t large = std::size_t{256} << 20;
  const auto load = [](const auto& path) { return test::error_of([&] { eigan::load_idx_images(path); }); };
  std::string text;
  // More than is declared: stops at the first byte too many.
  const auto longer = folder.write("longer", test::gzip(idx(8, {1, 28, 28}, Bytes(large))));
  CHECK(test::peak_heap([&] { text = load(longer); }) < std::size_t{2} << 20);
  CHECK(contains(text, "1 x 28 x 28 = 784 values, but more bytes follow them"));
  // Less than is declared: costs what there is, not what is declared.
  const auto shorter = folder.write("shorter", test::gzip(idx(8, {0xFFFFFFFF, 28, 28}, Bytes(1000))));
  CHECK(test::peak_heap([&] { text = load(shorter); }) < std::size_t{2} << 20);
  CHECK(contains(text, "but ends after 1000 of them"));
  // As much as is declared, a gigabyte out of a megabyte.
  const auto honest = folder.write("honest", test::gzip_bomb(idx(8, {1 << 20, 32, 32}, {})));
  CHECK(test::peak_heap([&] { text = load(honest); }) < std::size_t{64} << 20);
  CHECK(contains(text, "honest: the gzip data unpack to more than 100 times their size"));
}
