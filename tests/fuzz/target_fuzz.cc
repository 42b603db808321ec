// Fuzzes the reader of canonical target bytes, which come out of shared memory
// and from the compile zygote: what it accepts, it writes back the same.
#include <cstdint>
#include <string>

#include "proto/wire/compile_spec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<quern::TargetSpec> target = quern::ParseTarget(bytes);
  if (target.ok() && quern::CanonicalBytes(*target) != bytes) {
    __builtin_trap();
  }
  return 0;
}
