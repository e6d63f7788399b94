// The page's native side: makes what the page is built from, and gives what its module must give, too.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <map>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include <eigan/data/mnist.hpp>
#include <eigan/io/atomic_file.hpp>
#include <eigan/io/model_file.hpp>
#include <eigan/io/read_file.hpp>

#include "kit/exit_code.hpp"
#include "kit/guarded.hpp"
#include "kit/text.hpp"

#include "any_model.hpp"
#include "digit_reader.hpp"
#include "eight_bits.hpp"
#include "pictures.hpp"
#include "training.hpp"

namespace page {
namespace {

using Arguments = std::span<const std::string>;

eigan::SafetensorsFile file(const std::string& path) {
  return eigan::SafetensorsFile::read(path);
}

Index number(const std::string& text) {
  Index value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size() || value < 1)
    throw eigan::Error(kit::concat("expected a number above 0, found '", text, "'"));
  return value;
}

void eight_bits(Arguments a) {
  eigan::write_file(a[1], with_eight_bits(file(a[0])));
}

/// What reads models of F32 only can judge the rounded one.
void full(Arguments a) {
  const AnyModel model = load_model(file(a[0]));
  std::map<std::string, std::string> metadata = file(a[0]).metadata();
  metadata.erase("quantised");
  eigan::save(a[1], model, metadata);
}

/// The first images of MNIST, in 16 shades, which take half the room when packed.
void digits(Arguments a) {
  const auto all = eigan::load_mnist(a[0], eigan::Split::train);
  const Index count = std::min(number(a[1]), all.count);
  eigan::IdxImages some{count, all.rows, all.cols, {}};
  some.pixels.assign(all.pixels.begin(), all.pixels.begin() + count * all.features());
  for (std::uint8_t& pixel : some.pixels) pixel = static_cast<std::uint8_t>((pixel + 8) / 17 * 17);
  eigan::write_idx_images(a[2], some);
}

Canvas drawing(const std::string& path, Index rows) {
  const auto bytes = eigan::read_file(path);
  Canvas canvas{rows, std::ssize(bytes) / (4 * rows), std::vector<std::uint8_t>(bytes.size())};
  std::transform(bytes.begin(), bytes.end(), canvas.rgba.begin(),
                 [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
  return canvas;
}
void write(const std::string& path, const Canvas& canvas) {
  eigan::write_file(path, std::as_bytes(std::span(canvas.rgba)));
}

void read(Arguments a) {
  const Reading reading = read_digit(load_model(file(a[0])), drawing(a[1], number(a[2])));
  for (const float p : reading.probabilities) std::cout << kit::shortest(static_cast<double>(p)) << '\n';
}
void draw(Arguments a) {
  const AnyModel generator = load_model(file(a[0]));
  const auto bytes = eigan::read_file(a[1]);
  Matrix<float> input(generator.input_size(), std::ssize(bytes) / 4 / generator.input_size());
  std::copy_n(bytes.begin(), static_cast<std::size_t>(input.size()) * 4, reinterpret_cast<std::byte*>(input.data()));
  write(a[2], canvas(generator.infer(input), generator.output_shape()));
}
void paint(Arguments a) {
  const AnyModel painter = load_model(file(a[0]));
  const Lines lines = a[3] == "hard" ? Lines::hard : Lines::soft;
  write(a[4], canvas(painter.infer(network_input(drawing(a[1], number(a[2])), painter.input_shape(), lines)),
                     painter.output_shape()));
}
/// A training as the page's, in steps: its hundred digits and its generator.
void train(Arguments a) {
  const auto bytes = eigan::read_file(a[0]);
  std::vector<std::uint8_t> idx(bytes.size());
  std::transform(bytes.begin(), bytes.end(), idx.begin(), [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
  Training training(idx, 1);
  for (const double mean : training.run(number(a[1]))) std::cout << kit::shortest(mean) << '\n';
  write(a[2], training.sheet());
  eigan::write_file(a[3], training.file());
}

struct Command {
  std::string name, arguments, text;
  std::size_t count;
  void (*run)(Arguments);
};

const std::array commands{
    Command{"eight-bits", "MODEL OUT", "the model with eight bits a weight", 2, eight_bits},
    Command{"full", "MODEL OUT", "such a model in F32 again, for programs that read models", 2, full},
    Command{"digits", "MNIST COUNT OUT", "the first images of a folder of MNIST, in 16 shades, as IDX", 3, digits},
    Command{"read", "MODEL CANVAS ROWS", "the ten probabilities of a drawing, four bytes a pixel", 3, read},
    Command{"draw", "MODEL NUMBERS OUT", "the pictures that a generator makes of numbers, F32", 3, draw},
    Command{"paint", "MODEL CANVAS ROWS hard|soft OUT", "the picture that a network makes of a drawing", 5, paint},
    Command{"train", "DIGITS STEPS SHEET MODEL", "the training of the page", 4, train},
};

int help() {
  std::cout << "What the page is made of, and what it must show.\n\nUsage: eigan_page COMMAND ARGUMENT...\n\n";
  for (const Command& c : commands) std::cout << "  " << c.name << ' ' << c.arguments << "\n      " << c.text << '\n';
  return kit::usage;
}

int run(Arguments all) {
  if (all.empty()) return help();
  for (const Command& command : commands)
    if (command.name == all[0] && command.count == all.size() - 1) {
      command.run(all.subspan(1));
      return kit::success;
    }
  return help();
}

}  // namespace
}  // namespace page

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return kit::guarded("eigan_page", [&] { return page::run(arguments); });
}
