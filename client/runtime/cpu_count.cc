// CPU counts from the affinity mask and the control group.
#include "client/runtime/cpu_count.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace quern {
namespace {

// More CPUs than any Linux kernel is configured for.
constexpr int kCpusMax = 8192;

uint32_t AffinityCount() {
  cpu_set_t* set = CPU_ALLOC(kCpusMax);
  const size_t size = CPU_ALLOC_SIZE(kCpusMax);
  uint32_t count = 1;
  if (set != nullptr && ::sched_getaffinity(0, size, set) == 0) {
    count = static_cast<uint32_t>(std::max(1, CPU_COUNT_S(size, set)));
  }
  CPU_FREE(set);
  return count;
}

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The path of this process's group below the version 2 hierarchy, from the
// line "0::/path".
std::string GroupPath() {
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind("0::", 0) == 0) return line.substr(3);
  }
  return "";
}

// The tightest quota of this group and those above it.
uint32_t QuotaCount() {
  uint32_t count = 0;
  std::string path = GroupPath();
  while (true) {
    const uint32_t here =
        CpuCountOfQuota(FirstLine("/sys/fs/cgroup" + path + "/cpu.max"));
    if (here != 0 && (count == 0 || here < count)) count = here;
    const size_t slash = path.rfind('/');
    if (path.empty() || slash == std::string::npos) break;
    path.resize(slash);
  }
  if (count != 0) return count;
  return CpuCountOfQuota(FirstLine("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") +
                         " " +
                         FirstLine("/sys/fs/cgroup/cpu/cpu.cfs_period_us"));
}

}  // namespace

uint32_t CpuCountOfQuota(std::string_view cpu_max) {
  const std::vector<std::string> words =
      absl::StrSplit(absl::string_view(cpu_max.data(), cpu_max.size()), ' ',
                     absl::SkipWhitespace());
  int64_t quota = 0;
  int64_t period = 0;
  if (words.size() != 2 || !absl::SimpleAtoi(words[0], &quota) ||
      !absl::SimpleAtoi(words[1], &period) || quota <= 0 || period <= 0) {
    return 0;
  }
  return static_cast<uint32_t>(
      std::min<int64_t>((quota - 1) / period + 1, kCpusMax));
}

uint32_t UsableCpuCount() {
  const uint32_t affinity = AffinityCount();
  const uint32_t quota = QuotaCount();
  return quota == 0 ? affinity : std::min(affinity, quota);
}

}  // namespace quern
