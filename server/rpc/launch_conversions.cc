// Arguments by their kinds.
#include "server/rpc/launch_conversions.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/wire/scalar_slot.h"
#include "proto/wire/status.h"
#include "server/rpc/conversions.h"

namespace quern {
namespace {

absl::StatusOr<InlineArgument> NumberFrom(const v1::LaunchArgument& proto,
                                          uint8_t kind) {
  InlineArgument argument;
  if (IsIntegerKind(kind)) {
    if (proto.value_case() != v1::LaunchArgument::kInteger) {
      return absl::InvalidArgumentError("an integer is wanted");
    }
    QUERN_ASSIGN_OR_RETURN(argument.slot, IntegerSlot(proto.integer(), kind));
    return argument;
  }
  switch (proto.value_case()) {
    case v1::LaunchArgument::kInteger:
      argument.slot = FloatSlot(static_cast<double>(proto.integer()), kind);
      return argument;
    case v1::LaunchArgument::kReal:
      argument.slot = FloatSlot(proto.real(), kind);
      return argument;
    default:
      return absl::InvalidArgumentError("a number is wanted");
  }
}

absl::StatusOr<InlineArgument> ArgumentFrom(const v1::LaunchArgument& proto,
                                            uint8_t kind) {
  if (kind != QUERN_ARGUMENT_POINTER) return NumberFrom(proto, kind);
  if (proto.value_case() != v1::LaunchArgument::kTensor) {
    return absl::InvalidArgumentError("a tensor is wanted");
  }
  const v1::Tensor& tensor = proto.tensor();
  InlineArgument argument;
  argument.is_tensor = true;
  argument.tensor.data = tensor.data();
  argument.tensor.size_bytes =
      std::max<uint64_t>(tensor.size_bytes(), tensor.data().size());
  argument.tensor.returned = tensor.returned();
  return argument;
}

}  // namespace

absl::StatusOr<InlineLaunch> FromProto(const v1::LaunchRequest& request,
                                       const KernelInfo& info,
                                       uint64_t size_bytes_max) {
  if (info.place.slab == 0) {
    return absl::FailedPreconditionError("the kernel is for another machine");
  }
  const size_t count = info.argument_kinds.size();
  if (static_cast<size_t>(request.arguments_size()) != count) {
    return absl::InvalidArgumentError(
        absl::StrCat("the kernel has ", count, " arguments, but ",
                     request.arguments_size(), " are given"));
  }
  InlineLaunch launch;
  launch.key = info.key;
  const v1::Grid& grid = request.grid();
  launch.grid = {std::max(grid.x(), 1u), std::max(grid.y(), 1u),
                 std::max(grid.z(), 1u)};
  uint64_t room_bytes = size_bytes_max;
  for (size_t i = 0; i < count; ++i) {
    absl::StatusOr<InlineArgument> argument = ArgumentFrom(
        request.arguments(static_cast<int>(i)), info.argument_kinds[i]);
    if (!argument.ok()) {
      return Annotate(argument.status(), absl::StrCat("argument ", i));
    }
    if (argument->tensor.size_bytes > room_bytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the tensors are together larger than ", size_bytes_max,
                       " bytes, which is the most"));
    }
    room_bytes -= argument->tensor.size_bytes;
    launch.arguments.push_back(*std::move(argument));
  }
  return launch;
}

v1::LaunchResponse ToProto(InlineResult result) {
  v1::LaunchResponse proto;
  for (std::string& tensor : result.tensors) {
    proto.add_tensors(std::move(tensor));
  }
  *proto.mutable_run_duration() = ToProto(result.run_duration);
  return proto;
}

}  // namespace quern
