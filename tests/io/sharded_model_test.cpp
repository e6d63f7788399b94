#include <doctest/doctest.h>

#include <string>

#include <eigan/io/model_file.hpp>
#include <eigan/io/sharded_model.hpp>
#include <eigan/io/write_safetensors.hpp>
#include <eigan/layers/linear.hpp>
#include <eigan/net/model.hpp>
#include <eigan/net/sequential.hpp>

#include "../support.hpp"
#include "hostile.hpp"
#include "io/support.hpp"

using namespace eigan;
using test::contains;
using test::error_text;
using test::TemporaryFolder;

namespace {

using Net = Sequential<Linear<2, 3>, Linear<3, 1>>;
const std::string whole =
    R"({"metadata": {"total_size": 5.2e1, "by": "hand", "tied": false}, "weight_map": {
        "0.weight": "a-1-of-2.safetensors", "0.bias": "a-1-of-2.safetensors",
        "1.weight": "a-2-of-2.safetensors", "1.bias": "a-2-of-2.safetensors"}})";

/// Writes the model in two files, one a layer.
void write_parts(const TemporaryFolder& folder, const Model<Net>& model) {
  save(folder / "whole", model);
  const auto file = SafetensorsFile::read(folder / "whole");
  for (const std::string layer : {"0", "1"}) {
    std::vector<TensorView> tensors;
    for (const TensorInfo& tensor : file.tensors())
      if (tensor.name.starts_with(layer))
        tensors.push_back({tensor.name, tensor.dtype, tensor.shape, file.bytes(tensor)});
    write_safetensors(folder / ("a-" + std::string(layer == "0" ? "1" : "2") + "-of-2.safetensors"), std::move(tensors),
                      {{"format", "pt"}});
  }
}

}  // namespace

TEST_CASE("sharded_model: loads by its index") {
  const TemporaryFolder folder;
  const Model<Net> model(Rng(1));
  write_parts(folder, model);
  write_file(folder / "model.safetensors.index.json", whole);
  Model<Net> loaded(Rng(2));
  load(folder / "model.safetensors.index.json", loaded);
  CHECK(support::same_bits(model.params(), std::as_const(loaded).params()));
  Model<Sequential<Linear<3, 1>>> last(Rng(2));
  load(folder / "model.safetensors.index.json", last,
       [](const std::string& name) { return name.starts_with("1.") ? "0." + name.substr(2) : std::string(); });
  CHECK(support::same_bits(model.params(1), std::as_const(last).params()));
}

TEST_CASE("sharded_model: what is no index, or does not fit its files, is refused, and the model stays") {
  const TemporaryFolder folder;
  const Model<Net> model(Rng(1));
  write_parts(folder, model);
  Model<Net> loaded(Rng(2));
  const auto before = support::copy_of(std::as_const(loaded).params());
  const auto refusal = [&](const std::string& index) {
    write_file(folder / "index.json", index);
    const std::string text = error_text([&] { load(folder / "index.json", loaded); });
    CHECK(support::copy_of(std::as_const(loaded).params()) == before);
    return text;
  };
  const auto with = [](std::string text, const std::string& old, const std::string& replacement) {
    return text.replace(text.find(old), old.size(), replacement);
  };
  CHECK(contains(refusal(with(whole, "a-1-of-2", "a-3-of-2")), "a-3-of-2.safetensors: cannot open"));
  CHECK(contains(refusal(with(whole, "1.bias", "1.gain")), "a-2-of-2.safetensors: expected tensor '1.gain', as "));
  for (const char* outside : {"../a", "/etc/passwd", "..", ".", "a\\\\b", ""})
    CHECK(contains(refusal(with(whole, "a-2-of-2.safetensors", outside)),
                   "expected the name of a file beside the index"));
  CHECK(contains(refusal(with(whole, "1.bias", "1.weight")), "tensor '1.weight': expected once, found twice"));
  CHECK(contains(refusal(with(whole, "weight_map", "weights")), "expected 'metadata' and one 'weight_map'"));
  CHECK(contains(refusal("{\"metadata\": {}}"), "expected a 'weight_map' of tensors and their files, found none"));
  CHECK(contains(refusal("{\"weight_map\": {\"0.weight\": \"a-1-of-2.safetensors\"}}"),
                 "tensor '1.weight': expected [1, 3], found no tensor"));
  CHECK(contains(refusal("{\"weight_map\": {\"\xff\": \"a\"}}"), "expected an index in UTF-8"));
}

TEST_CASE("sharded_model: hostile indices: refused, or of plain names") {
  const auto read = [](const std::string& text) {
    for (const auto& [tensor, file] : detail::read_index(text, "f"))
      CHECK(file.find_first_of("/\\") == std::string::npos);
  };
  CHECK(hostile::cut(whole, read).accepted == 0);
  CHECK(hostile::flip(whole, read).refused > 0);
}
