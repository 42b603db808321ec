// Between the messages of quern.v1 and the core's types. All validation of
// requests is here; the functions are pure.
#ifndef QUERN_SERVER_RPC_CONVERSIONS_H_
#define QUERN_SERVER_RPC_CONVERSIONS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "compiler/api/compiler.h"
#include "proto/wire/compile_spec.h"
#include "proto/wire/kernel_key.h"
#include "quern/v1/admin_service.pb.h"
#include "quern/v1/kernel.pb.h"
#include "quern/v1/kernel_service.pb.h"
#include "server/core/compiled_kernel.h"
#include "server/core/event_feed.h"
#include "server/core/session.h"

namespace quern {

struct RequestLimits {
  uint64_t source_size_bytes_max = uint64_t{16} << 20;
  uint32_t arguments_max = 128;
};

// InvalidArgument: a field is missing, not in its range, or over its limit; the
// message names it.
absl::StatusOr<CompileSpec> FromProto(const v1::CompileRequest& request,
                                      const RequestLimits& limits);

// What GetKernel is to show: none for the description and the source.
//
// InvalidArgument: an unknown view.
absl::StatusOr<std::optional<CompileOutput>> OutputOf(v1::KernelView view);

struct ListPage {
  std::optional<KernelKey> after;
  uint32_t size = 0;
};

// InvalidArgument: the page is too large, or its token is not one of ours.
absl::StatusOr<ListPage> FromProto(const v1::ListKernelsRequest& request);

// The token in the metadata `quern-session`.
//
// InvalidArgument: not 32 lower-case hexadecimal digits.
absl::StatusOr<SessionToken> ParseSessionToken(std::string_view text);

google::protobuf::Duration ToProto(absl::Duration duration);
v1::SourceFormat ToProto(SourceFormat format);
v1::Kernel ToProto(const KernelInfo& info, uint64_t incarnation);
v1::CompileTimings ToProto(const CompileTimings& timings);
v1::CompileResponse ToProto(const CompiledKernel& kernel, uint64_t incarnation);
v1::WatchEventsResponse ToProto(const Event& event);

}  // namespace quern

#endif  // QUERN_SERVER_RPC_CONVERSIONS_H_
