// Runs a fuzz target on every file of the folders that the command line names: the corpus as an ordinary test.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <vector>

#include <eigan/io/read_file.hpp>

#include "fuzz.hpp"

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  try {
    for (int i = 1; i < argc; ++i)
      for (const auto& entry : std::filesystem::directory_iterator(argv[i])) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const auto& file : files) {
      std::printf("%s\n", file.c_str());
      std::fflush(stdout);  // the last line names the file that crashed
      const auto bytes = eigan::read_file(file);
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    }
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
    return 1;
  }
  if (files.empty()) std::printf("no files\n");
  return files.empty() ? 1 : 0;
}
