// What WebAssembly gives to JavaScript. A call's bytes lie in the inbox and its result in the outbox; one instance
// holds one model or one training. After an error, whose text is then the outbox, an instance is of no use any more.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>

#include "kit/json_object.hpp"

#include "any_model.hpp"
#include "digit_reader.hpp"
#include "pictures.hpp"
#include "training.hpp"

namespace {

using namespace page;

std::vector<std::byte> in, out;
std::optional<AnyModel> model;
std::optional<Training> training;

template <class Values>
void give(const Values& values) {
  const auto bytes = std::as_bytes(std::span(values));
  out.assign(bytes.begin(), bytes.end());
}

void show(const Canvas& canvas) {
  give(canvas.rgba);
}

template <class T>
std::vector<T> taken() {
  std::vector<T> values(in.size() / sizeof(T));
  std::memcpy(values.data(), in.data(), values.size() * sizeof(T));
  return values;
}

Canvas drawing(Index rows, Index cols) {
  Canvas canvas{rows, cols, taken<std::uint8_t>()};
  if (rows < 1 || cols < 1 || std::ssize(canvas.rgba) != 4 * rows * cols)
    eigan::detail::fail_data("expected a drawing of ", cols, 'x', rows, " pixels, found ", in.size(), " bytes");
  return canvas;
}

template <class T>
T& there(std::optional<T>& what, const char* name) {
  if (!what) eigan::detail::fail_data("expected ", name, " first, found none");
  return *what;
}
const AnyModel& the_model() {
  return there(model, "a model");
}

[[noreturn]] void stop(const char* text) {
  give(std::string_view(text));
  __builtin_trap();
}

}  // namespace

// The C library would ask a system for its environment, and there is none.
extern "C" char* getenv(const char* /*name*/) {
  return nullptr;
}

#define EXPORT(name) __attribute__((export_name(#name))) void

namespace page {

EXPORT(start) start() {
  eigan::error_handler = stop;
}
__attribute__((export_name("inbox"))) std::byte* inbox(std::size_t size) {
  in.resize(size);
  return in.data();
}
__attribute__((export_name("outbox"))) const std::byte* outbox() {
  return out.data();
}
__attribute__((export_name("outbox_size"))) std::size_t outbox_size() {
  return out.size();
}

/// A model file; gives the shapes that go in and come out, as JSON.
EXPORT(load) load() {
  model.emplace(load_model(eigan::SafetensorsFile(std::exchange(in, {}), "the model")));
  const auto text = [](eigan::Shape s) { return std::vector<Index>{s.channels, s.height, s.width}; };
  const std::string shapes =
      kit::JsonObject().add("input", text(model->input_shape())).add("output", text(model->output_shape())).text();
  give(shapes);
}

/// A drawing; gives ten probabilities, and behind them what was seen, as a canvas.
EXPORT(read) read_drawing(Index rows, Index cols) {
  const Reading reading = read_digit(the_model(), drawing(rows, cols));
  const Canvas seen = canvas(reading.seen, {reading.seen.rows()});
  give(reading.probabilities);
  const auto pixels = std::as_bytes(std::span(seen.rgba));
  out.insert(out.end(), pixels.begin(), pixels.end());
}

/// Numbers, as many as the model takes for each picture; gives a canvas.
EXPORT(draw) draw(Index in_a_row) {
  const std::vector<float> numbers = taken<float>();
  const AnyModel& generator = the_model();
  const auto pictures = std::ssize(numbers) / generator.input_size();
  if (pictures < 1 || in_a_row < 1 || std::ssize(numbers) != pictures * generator.input_size())
    eigan::detail::fail_data("expected ", generator.input_size(), " numbers for each picture, found ", numbers.size());
  show(canvas(generator.infer({numbers.data(), generator.input_size(), pictures}, eigan::Threads{1}),
              generator.output_shape(), in_a_row));
}

/// A drawing; gives the picture that the model makes of it, as a canvas.
EXPORT(paint) paint(Index rows, Index cols, int hard) {
  const AnyModel& painter = the_model();
  const Matrix<float> input =
      network_input(drawing(rows, cols), painter.input_shape(), hard != 0 ? Lines::hard : Lines::soft);
  show(canvas(painter.infer(input, eigan::Threads{1}), painter.output_shape()));
}

/// Images; a training of them begins.
EXPORT(train) train(std::uint32_t seed) {
  training.emplace(taken<std::uint8_t>(), seed);
  in = {};
}
/// Gives the four means over so many steps more.
EXPORT(train_steps) train_steps(Index count) {
  const auto means = there(training, "a training").run(count);
  give(means);
}
EXPORT(train_sheet) train_sheet() {
  show(there(training, "a training").sheet());
}
EXPORT(train_file) train_file() {
  out = there(training, "a training").file();
}

}  // namespace page
