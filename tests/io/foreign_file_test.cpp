#include <doctest/doctest.h>

#include <string>

#include <eigan/data/idx.hpp>
#include <eigan/io/foreign_file.hpp>
#include <eigan/io/npy.hpp>
#include <eigan/io/safetensors.hpp>

#include "io/support.hpp"

using test::bytes_of;
using test::contains;
using test::error_text;

namespace {

struct Foreign {
  std::string bytes, name;
};
const Foreign files[] = {
    {std::string("PK\3\4\0\0\0\0\0\0archive/data.pkl", 26), "a zip archive"},
    {std::string("\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19", 14), "a pickle"},
    {"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 123\n", "a git-lfs pointer"},
    {"<!DOCTYPE html><html><title>404</title>", "an HTML or XML page"},
    {"\xEF\xBB\xBF\n <?xml version=\"1.0\"?>", "an HTML or XML page"},
    {"{\"metadata\": {}, \"weight_map\": {\"w\": \"a.safetensors\"}}", "the index of a sharded model"},
    {"{\n  \"hidden_size\": 768\n}", "JSON text"},
    {"\xFF\xD8\xFF\xE0 and so on", "a JPEG image"},
    {"\x89PNG\r\n\x1a\n and so on", "a PNG image"},
    {"\x89HDF\r\n\x1a\n and so on", "an HDF5 file"},
    {"GGUF and so on", "a GGUF file"},
};

}  // namespace

TEST_CASE("what_it_is: a file of another kind is called by its name, whoever was to read it") {
  for (const Foreign& file : files) {
    CAPTURE(file.name);
    CHECK(contains(error_text([&] { eigan::SafetensorsFile(bytes_of(file.bytes), "f"); }), "; this is " + file.name));
    const std::string npy = error_text([&] { eigan::parse_npy(bytes_of(file.bytes), "f"); });
    CHECK(contains(npy, file.name == "a zip archive" ? "an archive of arrays (.npz)" : "; this is " + file.name));
    std::vector<std::uint8_t> bytes(file.bytes.begin(), file.bytes.end());
    CHECK(contains(error_text([&] {
                     eigan::MemorySource source(bytes, "f");
                     eigan::read_idx_labels(source);
                   }),
                   "; this is " + file.name));
  }
}

TEST_CASE("what_it_is: nothing is said of what is not known") {
  for (const std::string text : {"", "x", "these are no tensors at all", "   ", "{}"})
    CHECK(eigan::detail::what_it_is(bytes_of(text)).empty());
}
