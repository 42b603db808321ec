// Fuzzes the validation of RPC requests: what FromProto lets through keeps the
// limits, and has one key.
#include <google/protobuf/stubs/logging.h>

#include <cstdint>

#include "proto/wire/compile_spec.h"
#include "server/rpc/conversions.h"
#include "server/rpc/launch_conversions.h"

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

void FuzzLaunch(const void* data, int size) {
  constexpr uint64_t kTensorBytesMax = 1000;
  v1::LaunchRequest request;
  if (!request.ParseFromArray(data, size)) return;
  KernelInfo info;
  info.place = {.slab = 1, .page = 1};
  // Kinds that differ from input to input.
  for (int i = 0; i < request.arguments_size(); ++i) {
    info.argument_kinds.push_back(
        static_cast<uint8_t>(1 + (request.grid().z() + i) % 10));
  }
  const absl::StatusOr<InlineLaunch> launch =
      FromProto(request, info, kTensorBytesMax);
  if (!launch.ok()) return;
  uint64_t size_bytes = 0;
  for (const InlineArgument& argument : launch->arguments) {
    if (argument.tensor.data.size() > argument.tensor.size_bytes) {
      __builtin_trap();
    }
    size_bytes += argument.tensor.size_bytes;
  }
  if (size_bytes > kTensorBytesMax) __builtin_trap();
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
  quern::FuzzLaunch(data, length);
  quern::ParseSessionToken({reinterpret_cast<const char*>(data), size})
      .status()
      .IgnoreError();
  return 0;
}
