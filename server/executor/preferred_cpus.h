// Which CPUs executors run on, where a machine has them of unequal speed.
#ifndef QUERN_SERVER_EXECUTOR_PREFERRED_CPUS_H_
#define QUERN_SERVER_EXECUTOR_PREFERRED_CPUS_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace quern {

// One bit a CPU, as in ExecutorSetup.
using CpuMask = std::array<uint64_t, 16>;

// The capacity of each CPU from number 0, as the kernel gives it in files
// cpuN/cpu_capacity of `folder` (/sys/devices/system/cpu); 0 where it does not.
std::vector<uint64_t> ReadCpuCapacities(const std::string& folder);

// The CPUs that are not of the slowest kind. None is set if all are of one
// kind, or if the kernel does not tell: any CPU will do.
CpuMask PreferredCpus(std::span<const uint64_t> capacities);

}  // namespace quern

#endif  // QUERN_SERVER_EXECUTOR_PREFERRED_CPUS_H_
