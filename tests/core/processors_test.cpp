#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <string>

#include <eigan/core/processors.hpp>

#include "io/support.hpp"

using eigan::detail::allowed_processors, eigan::detail::granted_processors, eigan::detail::no_limit;

namespace {
/// What a system would say of its control groups.
class Groups {
 public:
  void write(const std::string& path, const std::string& text) const {
    const auto file = folder_ / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  int granted() const { return granted_processors((folder_ / "self").string(), (folder_ / "fs").string()); }

 private:
  test::TemporaryFolder folder_;
};
}  // namespace

TEST_CASE("processors: a process may run on at least one") {
  CHECK(allowed_processors() >= 1);
  CHECK(granted_processors() >= 1);
}

TEST_CASE("processors: without control groups, or without a limit, there is none") {
  Groups groups;
  CHECK(groups.granted() == no_limit);
  groups.write("self", "0::/user.slice\n");
  CHECK(groups.granted() == no_limit);
  groups.write("fs/user.slice/cpu.max", "max 100000\n");
  CHECK(groups.granted() == no_limit);
  groups.write("self", "4:cpu,cpuacct:/a\n");
  groups.write("fs/cpu/a/cpu.cfs_quota_us", "-1\n");
  groups.write("fs/cpu/a/cpu.cfs_period_us", "100000\n");
  CHECK(groups.granted() == no_limit);
}

TEST_CASE("processors: a quota counts to the nearest whole number, at least one") {
  Groups groups;
  groups.write("self", "0::/\n");
  for (const auto& [text, count] :
       {std::pair{"200000 100000", 2}, {"149000 100000", 1}, {"150000 100000", 2}, {"5000 50000", 1}}) {
    CAPTURE(text);
    groups.write("fs/cpu.max", text);
    CHECK(groups.granted() == count);
  }
}

TEST_CASE("processors: the least quota of all groups around the process holds") {
  Groups groups;
  groups.write("self", "0::/outer/inner\n");
  groups.write("fs/outer/inner/cpu.max", "800000 100000\n");
  CHECK(groups.granted() == 8);
  groups.write("fs/outer/cpu.max", "300000 100000\n");
  CHECK(groups.granted() == 3);
}

TEST_CASE("processors: version 1 names the group of the controller cpu") {
  Groups groups;
  groups.write("self", "9:cpuset:/c\n4:cpu,cpuacct:/a/b\n2:cpuacct:/d\n");
  for (const char* const name : {"cpu/a", "cpu/c", "cpu/d"}) {
    groups.write(std::string("fs/") + name + "/cpu.cfs_quota_us", name[4] == 'a' ? "400000\n" : "100000\n");
    groups.write(std::string("fs/") + name + "/cpu.cfs_period_us", "100000\n");
  }
  CHECK(groups.granted() == 4);
}

TEST_CASE("processors: in a container the host's path leads nowhere, and the top is the container's own") {
  Groups groups;
  groups.write("self", "4:cpu:/docker/0123456789abcdef\n");
  groups.write("fs/cpu/cpu.cfs_quota_us", "200000\n");
  groups.write("fs/cpu/cpu.cfs_period_us", "100000\n");
  CHECK(groups.granted() == 2);
}

TEST_CASE("processors: what cannot be read limits nothing") {
  Groups groups;
  for (const char* const text : {"", "\n", ":", "0:", "::", "0::", "0::x", "nonsense"}) {
    CAPTURE(text);
    groups.write("self", text);
    CHECK(groups.granted() == no_limit);
  }
}
