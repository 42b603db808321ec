// The processor that this process runs on.
#ifndef QUERN_COMPILER_CODEGEN_HOST_H_
#define QUERN_COMPILER_CODEGEN_HOST_H_

#include <cstdint>

#include "absl/types/span.h"
#include "proto/wire/compile_spec.h"

namespace quern {

// The host as a TargetSpec: every extension that it has or lacks, signed.
TargetSpec DetectHost();

// An Arm64 processor by what the kernel says of it: the auxiliary vector's
// AT_HWCAP and AT_HWCAP2, and MIDR_EL1 of every core. Of cores of several
// kinds, the one with the highest part number names the CPU, so that the
// answer does not depend on the core that asks.
TargetSpec Arm64Target(uint64_t hwcap, uint64_t hwcap2,
                       absl::Span<const uint64_t> midrs);

}  // namespace quern

#endif  // QUERN_COMPILER_CODEGEN_HOST_H_
