// eigan_inspect: what a model file holds, for people or, with --json, for machines. Believes nothing that it reads.
#include <iostream>
#include <string>

#include <eigan/core/error.hpp>
#include <eigan/io/safetensors.hpp>
#include <eigan/version.hpp>

#include "kit/command_line.hpp"
#include "kit/exit_code.hpp"
#include "kit/guarded.hpp"

#include "description.hpp"

namespace inspect {
namespace {

using namespace kit;

int run(int argc, char** argv) {
  std::string path;
  bool json = false;
  CLI::App program("Shows what a safetensors file holds: metadata, tensors, what their elements are like.",
                   "eigan_inspect");
  program.formatter(
      std::make_shared<HelpFormatter>("  eigan_inspect generator.safetensors\n"
                                      "  eigan_inspect generator.safetensors --json\n",
                                      14));
  program.set_help_flag("-h,--help", "this text");
  program.set_version_flag("--version", concat("eigan_inspect (eigan) ", eigan::version), "the version");
  program.add_flag("--json", json, "as JSON");
  program.add_option("FILE", path, "the file")->option_text(" ")->required();
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return program.exit(success);
  } catch (const CLI::ParseError& error) {
    return fail("eigan_inspect", concat(explain(program, error), " (--help shows the options)"), usage);
  }
  const auto file = reading([&] { return eigan::SafetensorsFile::read(path); });
  std::cout << (json ? for_machines(file) : for_people(file)) << std::flush;
  if (!std::cout) throw eigan::Error("standard output: cannot be written");
  return success;
}

}  // namespace
}  // namespace inspect

int main(int argc, char** argv) {
  return kit::guarded("eigan_inspect", [&] { return inspect::run(argc, argv); });
}
