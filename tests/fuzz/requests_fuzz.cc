// Fuzzes the validation of RPC requests: what FromProto lets through keeps the
// limits, and has one key.
#include <google/protobuf/stubs/logging.h>

#include <cstdint>

#include "proto/wire/compile_spec.h"
#include "server/rpc/conversions.h"

namespace quern {
namespace {

constexpr RequestLimits kLimits = {.source_size_bytes_max = 1000,
                                   .arguments_max = 4};

void FuzzCompile(const void* data, int size) {
  v1::CompileRequest request;
  if (!request.ParseFromArray(data, size)) return;
  const absl::StatusOr<CompileSpec> spec = FromProto(request, kLimits);
  if (!spec.ok()) return;
  if (spec->source.size() > kLimits.source_size_bytes_max ||
      spec->signature.size() > kLimits.arguments_max ||
      !(KeyOf(*spec, BuildId{}) == KeyOf(CompileSpec(*spec), BuildId{}))) {
    __builtin_trap();
  }
}

void FuzzList(const void* data, int size) {
  v1::ListKernelsRequest request;
  if (!request.ParseFromArray(data, size)) return;
  const absl::StatusOr<ListPage> page = FromProto(request);
  if (page.ok() && (page->size == 0 || page->size > 1000)) __builtin_trap();
}

}  // namespace
}  // namespace quern

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  google::protobuf::SetLogHandler(nullptr);  // It complains of bad UTF-8.
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int length = static_cast<int>(size);
  quern::FuzzCompile(data, length);
  quern::FuzzList(data, length);
  quern::ParseSessionToken({reinterpret_cast<const char*>(data), size})
      .status()
      .IgnoreError();
  return 0;
}
