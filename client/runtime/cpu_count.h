// How many threads this process may usefully run at once.
#ifndef QUERN_CLIENT_RUNTIME_CPU_COUNT_H_
#define QUERN_CLIENT_RUNTIME_CPU_COUNT_H_

#include <cstdint>
#include <string_view>

namespace quern {

// The CPUs in the calling thread's affinity mask, or fewer if the control
// group's cpu.max (or version 1's CFS quota) grants less, rounded up. At
// least 1. Reads files; call it once.
uint32_t UsableCpuCount();

// The CPUs that the text of a cpu.max file grants, rounded up; 0 if it grants
// all, or is not such a text.
uint32_t CpuCountOfQuota(std::string_view cpu_max);

}  // namespace quern

#endif  // QUERN_CLIENT_RUNTIME_CPU_COUNT_H_
