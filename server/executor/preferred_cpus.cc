// Reading capacities, and leaving out the least.
#include "server/executor/preferred_cpus.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace quern {
namespace {

constexpr size_t kCpusMax = 64 * std::tuple_size_v<CpuMask>;

}  // namespace

std::vector<uint64_t> ReadCpuCapacities(const std::string& folder) {
  std::vector<uint64_t> capacities;
  std::error_code error;
  for (size_t cpu = 0; cpu < kCpusMax; ++cpu) {
    const std::string path = absl::StrCat(folder, "/cpu", cpu);
    if (!std::filesystem::exists(path, error)) break;
    uint64_t capacity = 0;
    std::ifstream(path + "/cpu_capacity") >> capacity;
    capacities.push_back(capacity);
  }
  return capacities;
}

CpuMask PreferredCpus(std::span<const uint64_t> capacities) {
  CpuMask mask = {};
  if (capacities.empty()) return mask;
  const uint64_t least =
      *std::min_element(capacities.begin(), capacities.end());
  if (least == 0) return mask;
  const size_t count = std::min(capacities.size(), kCpusMax);
  for (size_t cpu = 0; cpu < count; ++cpu) {
    if (capacities[cpu] > least) mask[cpu / 64] |= uint64_t{1} << cpu % 64;
  }
  return mask;
}

}  // namespace quern
