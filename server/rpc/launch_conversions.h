// Between the messages of quern.v1.LaunchService and the core's types; pure.
#ifndef QUERN_SERVER_RPC_LAUNCH_CONVERSIONS_H_
#define QUERN_SERVER_RPC_LAUNCH_CONVERSIONS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "cache/kernel_info.h"
#include "quern/v1/launch_service.pb.h"
#include "server/core/inline_launcher.h"

namespace quern {

// A launch of the kernel that `info` describes. `size_bytes_max` bounds all
// tensors together.
//
// InvalidArgument: the arguments are not what the kernel has; the message says
//   which.
// FailedPrecondition: the kernel is for another machine.
// ResourceExhausted: the tensors are too large.
absl::StatusOr<InlineLaunch> FromProto(const v1::LaunchRequest& request,
                                       const KernelInfo& info,
                                       uint64_t size_bytes_max);

v1::LaunchResponse ToProto(InlineResult result);

}  // namespace quern

#endif  // QUERN_SERVER_RPC_LAUNCH_CONVERSIONS_H_
