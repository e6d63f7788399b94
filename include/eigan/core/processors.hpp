// How many processors this process may keep busy: by its affinity (taskset, a scheduler of jobs), and by the share that
// its control groups grant it (a container). Linux tells; elsewhere no limit is known.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#if defined(__linux__)
#include <sched.h>
#endif

namespace eigan::detail {

inline constexpr int no_limit = std::numeric_limits<int>::max();

/// The number of processors that the calling thread may run on, and threads that it starts.
inline int allowed_processors() {
#if defined(__linux__)
  cpu_set_t sets[8] = {};  // one has room for 1024
  if (sched_getaffinity(0, sizeof sets, sets) == 0) return std::max(CPU_COUNT_S(sizeof sets, sets), 1);
#endif
  return no_limit;
}

using OpenFile = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
inline OpenFile open_to_read(const std::string& path) {
  return {std::fopen(path.c_str(), "r"), std::fclose};
}

/// How many numbers a file begins with, up to two.
inline int read_numbers(const std::string& path, double& first, double& second) {
  const OpenFile file = open_to_read(path);
  return file == nullptr ? 0 : std::fscanf(file.get(), "%lf %lf", &first, &second);
}

/// Processors that the control group with this folder may keep busy, such as 1.5; infinite without a limit.
inline double group_quota(const std::string& folder) {
  double quota = 0, period = 0, none = 0;
  const bool found =
      read_numbers(folder + "/cpu.max", quota, period) == 2 ||         // version 2: "150000 100000" or "max 100000"
      (read_numbers(folder + "/cpu.cfs_quota_us", quota, none) > 0 &&  // version 1: -1 without a limit
       read_numbers(folder + "/cpu.cfs_period_us", period, none) > 0);
  return found && quota > 0 && period > 0 ? quota / period : std::numeric_limits<double>::infinity();
}

/// The least quota of this process's groups and of those around them, to the nearest whole number. Inside a container a
/// group's path may be that of the host, of which only the end, or nothing, is there.
inline int granted_processors(const std::string& groups = "/proc/self/cgroup",
                              const std::string& root = "/sys/fs/cgroup") {
  double quota = no_limit;
  const OpenFile file = open_to_read(groups);
  char buffer[4096];
  while (file != nullptr && std::fgets(buffer, sizeof buffer, file.get()) != nullptr) {
    // "0::/path" in version 2, "4:cpu,cpuacct:/path" in version 1
    const std::string_view line(buffer, std::strcspn(buffer, "\n"));
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const bool unified = second == first + 1;
    buffer[first] = buffer[second] = ',';  // ",cpu,cpuacct,"
    if (!unified && line.substr(first, second - first + 1).find(",cpu,") == line.npos) continue;
    const std::string top = unified ? root : root + "/cpu";
    for (std::string group(line.substr(second + 1)); group.starts_with('/'); group.resize(group.rfind('/')))
      quota = std::min(quota, group_quota(top + group));
    quota = std::min(quota, group_quota(top));
  }
  return std::max(static_cast<int>(std::lround(quota)), 1);
}

}  // namespace eigan::detail
