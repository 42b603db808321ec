// What a compile call gives.
#ifndef QUERN_SERVER_CORE_COMPILED_KERNEL_H_
#define QUERN_SERVER_CORE_COMPILED_KERNEL_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "cache/kernel_info.h"
#include "proto/wire/image.h"
#include "server/core/compiler_pool.h"

namespace quern {

struct CompiledKernel {
  KernelInfo info;
  bool cached = false;
  CompileTimings timings;  // Zero if it was cached.
  Image image;             // Null unless the target is not the host.
  std::string text;        // Of a view; then there is no image.
};

using CompileDone =
    std::function<void(const absl::StatusOr<CompiledKernel>& kernel)>;

}  // namespace quern

#endif  // QUERN_SERVER_CORE_COMPILED_KERNEL_H_
