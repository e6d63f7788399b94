#include "image_to_image/picture_set.hpp"

#include "io/support.hpp"

#include <eigan/io/atomic_file.hpp>
#include <eigan/io/read_file.hpp>

#include "kit/exit_code.hpp"

using namespace image_to_image;

namespace {

TwoDomains domains(Index count, bool paired) {
  TwoDomains part;
  part.paired = paired;
  part.a = {count, 2, 3, 1, {}};
  part.b = {paired ? count : count + 1, 2, 3, 3, {}};
  for (PictureSet* set : {&part.a, &part.b})
    for (Index i = 0; i < set->count * set->size(); ++i) set->bytes.push_back(static_cast<std::uint8_t>(i * 7 + count));
  part.a_labels.assign(static_cast<std::size_t>(count), 4);
  for (Index i = 0; i < part.b.count; ++i) part.b_names.push_back("b" + std::to_string(i));
  return part;
}

TaskData task() {
  return {{"task", "a \"lines\"", "b", "MIT"}, domains(5, false), domains(1, true), domains(2, true)};
}

void check_equal(const TwoDomains& x, const TwoDomains& y) {
  CHECK(x.paired == y.paired);
  for (const auto& [p, q] : {std::pair{&x.a, &y.a}, {&x.b, &y.b}}) {
    CHECK(p->count == q->count);
    CHECK(p->height == q->height);
    CHECK(p->width == q->width);
    CHECK(p->channels == q->channels);
    CHECK(p->bytes == q->bytes);
  }
  CHECK(x.a_labels == y.a_labels);
  CHECK(x.b_labels == y.b_labels);
  CHECK(x.a_names == y.a_names);
  CHECK(x.b_names == y.b_names);
}

std::string error_of(const std::filesystem::path& folder) {
  return test::error_text<kit::BadInput>([&] { read_task(folder); });
}

}  // namespace

TEST_CASE("write_task: what is written is read, and twice the same bytes") {
  const test::TemporaryFolder folder;
  const TaskData data = task();
  write_task(folder / "x", data);
  write_task(folder / "y", data);
  const TaskData read = read_task(folder / "x");
  CHECK(read.info.task == data.info.task);
  CHECK(read.info.a == data.info.a);
  CHECK(read.info.b == data.info.b);
  CHECK(read.info.licence == data.info.licence);
  check_equal(read.train, data.train);
  check_equal(read.validation, data.validation);
  check_equal(read.test, data.test);
  for (const auto& entry : std::filesystem::directory_iterator(folder / "x"))
    CHECK(eigan::read_file(entry.path()) == eigan::read_file(folder / "y" / entry.path().filename()));
}

TEST_CASE("write_task: what a task before has left does not stay") {
  const test::TemporaryFolder folder;
  TaskData data = task();
  write_task(folder / "x", data);
  data.train.a_labels.clear();
  data.test.b_names.clear();
  write_task(folder / "x", data);
  const TaskData read = read_task(folder / "x");
  CHECK(read.train.a_labels.empty());
  CHECK(read.test.b_names.empty());
}

TEST_CASE("read_task: files that are missing, damaged or of another task are named") {
  const test::TemporaryFolder folder;
  CHECK(test::contains(error_of(folder / "none"), "none: expected the folder of a prepared task, found no task.json"));
  const auto damaged = [&](const std::string& file, const std::string& text) {
    write_task(folder / "x", task());
    eigan::write_file(folder / "x" / file, text);
    return error_of(folder / "x");
  };
  CHECK(test::contains(damaged("test-a.idx4-ubyte", "no pictures"), "test-a.idx4-ubyte: not IDX data"));
  CHECK(test::contains(damaged("train-b-names.txt", "b0\nb1\n"), "train-b-names.txt: 2 names, expected 6"));
  CHECK(test::contains(damaged("train-a-labels.idx1-ubyte", std::string("\0\0\x08\x01\0\0\0\x01\x03", 9)),
                       "train-a-labels.idx1-ubyte: 1 labels, expected 5"));
  CHECK(test::contains(damaged("task.json", "{\"task\": 3}"), "task.json: at byte "));
  CHECK(test::contains(damaged("task.json", "{}"), "task.json: expected a member \"task\", found none"));
  const std::string other("\0\0\x08\x04\0\0\0\x02\0\0\0\x01\0\0\0\x01\0\0\0\x01\x05\x05", 22);
  CHECK(test::contains(damaged("test-a.idx4-ubyte", other), "1x1 pixels and 1 channels, expected 3x2 and 1"));
  write_task(folder / "x", task());
  std::filesystem::remove(folder / "x" / "validation-b.idx4-ubyte");
  CHECK(test::contains(error_of(folder / "x"), "validation-b.idx4-ubyte: "));
}

TEST_CASE("read_task: as many pictures as task.json says, and no picture cut short") {
  const test::TemporaryFolder folder;
  write_task(folder / "x", task());
  const auto path = folder / "x" / "validation-a.idx4-ubyte";
  const std::vector<std::byte> whole = eigan::read_file(path);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    eigan::write_file(path, std::span(whole).first(size));
    CHECK(test::contains(error_of(folder / "x"), "validation-a.idx4-ubyte: "));
  }
}
