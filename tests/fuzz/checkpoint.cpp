// A checkpoint's file loaded into a state: the state has the file's numbers, or after a refusal its own as before.
// What the checksum keeps out is let in here: whoever forges a file can forge that, too.
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <eigan/io/checkpoint.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>
#include <eigan/optim/adam.hpp>

#include "fuzz.hpp"

namespace {

using Net = eigan::Sequential<eigan::Linear<2, 3>>;

struct State {
  eigan::Model<Net> model{eigan::Rng(0)};
  eigan::Adam<float> adam{model.param_size()};
  std::int64_t step = 3;
  std::vector<double> losses{1, 2};
  std::string note = "as before";

  template <class Visit>
  void visit_state(Visit&& visit) {
    visit("model", model), visit("adam", adam), visit("step", step), visit("losses", losses), visit("note", note);
  }
};

/// Every number of a state in one row of bytes, in the order of the parts; a matrix as it lies in memory.
class Bytes {
 public:
  explicit Bytes(State& state) { eigan::detail::visit_state(state, *this); }
  template <class M>
  void model(const std::string&, const M& model) {
    add(std::as_bytes(std::span(model.params())));
  }
  template <class Part>
  void numbers(const std::string&, const Part& part) {
    add(std::as_bytes(eigan::detail::as_numbers(part)));
  }
  bool operator==(const Bytes&) const = default;

 private:
  void add(std::span<const std::byte> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  std::vector<std::byte> bytes_;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static State fresh;
  static const Bytes before(fresh);
  State state;
  const bool accepted = fuzz::accepts([&] {
    const eigan::SafetensorsFile file(fuzz::copy_of({data, size}), "f");
    eigan::load_checkpoint(file, state);
    const auto same = [&](const char* name, std::span<const std::byte> numbers) {
      const auto stored = file.bytes(*file.find(name));
      fuzz::require(stored.size() == numbers.size() &&
                    (numbers.empty() || std::memcmp(stored.data(), numbers.data(), stored.size()) == 0));
    };
    same("model.0.bias", std::as_bytes(std::span(state.model.params()).subspan(6)));
    same("step", std::as_bytes(std::span(&state.step, 1)));
    same("losses", std::as_bytes(std::span(state.losses)));
    same("note", std::as_bytes(std::span(state.note)));
  });
  fuzz::require(accepted || Bytes(state) == before);
  return 0;
}
