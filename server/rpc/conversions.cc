// Conversions and validation.
#include "server/rpc/conversions.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/wire/image_format.h"
#include "proto/wire/kernel_abi.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

// Bounds on texts whose meaning only the compiler knows.
constexpr size_t kNameSizeMax = 1024;
constexpr size_t kTypeSizeMax = 64;
constexpr int kFeaturesMax = 512;
constexpr size_t kTargetTextSizeMax = 128;

constexpr uint32_t kPageSizeMax = 1000;

absl::StatusOr<SourceFormat> FormatFrom(v1::SourceFormat format) {
  switch (format) {
    case v1::SOURCE_FORMAT_TRITON_IR:
      return SourceFormat::kTritonIr;
    case v1::SOURCE_FORMAT_MLIR:
      return SourceFormat::kMlir;
    case v1::SOURCE_FORMAT_LLVM_IR:
      return SourceFormat::kLlvmIr;
    default:
      return absl::InvalidArgumentError("format: not a format of a source");
  }
}

absl::StatusOr<ArgumentSpec> ArgumentFrom(const v1::Argument& proto) {
  ArgumentSpec argument;
  if (proto.type().empty() || proto.type().size() > kTypeSizeMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        "signature: a type has between 1 and ", kTypeSizeMax, " bytes"));
  }
  argument.type = proto.type();
  argument.divisibility = std::max<uint32_t>(proto.divisibility(), 1);
  if (!std::has_single_bit(argument.divisibility)) {
    return absl::InvalidArgumentError(
        "signature: a divisibility is a power of two");
  }
  if (proto.has_constant()) argument.constant = proto.constant();
  return argument;
}

absl::StatusOr<TargetSpec> TargetFrom(const v1::Target& proto) {
  if (proto.triple().size() > kTargetTextSizeMax ||
      proto.cpu().size() > kTargetTextSizeMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("target: a triple and a CPU have at most ",
                     kTargetTextSizeMax, " bytes"));
  }
  if (proto.features_size() > kFeaturesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("target: at most ", kFeaturesMax, " features"));
  }
  TargetSpec target;
  target.triple = proto.triple();
  target.cpu = proto.cpu();
  for (const std::string& feature : proto.features()) {
    if (feature.size() > kTargetTextSizeMax) {
      return absl::InvalidArgumentError(absl::StrCat(
          "target: a feature has at most ", kTargetTextSizeMax, " bytes"));
    }
    target.features.push_back(feature);
  }
  return target;
}

absl::Status CheckSizes(const v1::CompileRequest& request,
                        const RequestLimits& limits) {
  if (request.source().empty()) {
    return absl::InvalidArgumentError("source: it is empty");
  }
  if (request.source().size() > limits.source_size_bytes_max) {
    return absl::InvalidArgumentError(
        absl::StrCat("source: it has ", request.source().size(),
                     " bytes; the most is ", limits.source_size_bytes_max));
  }
  if (request.entry().size() > kNameSizeMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("entry: it has more than ", kNameSizeMax, " bytes"));
  }
  const auto arguments = static_cast<uint32_t>(request.signature_size());
  if (arguments > limits.arguments_max) {
    return absl::InvalidArgumentError(
        absl::StrCat("signature: it has ", arguments,
                     " arguments; the most is ", limits.arguments_max));
  }
  return absl::OkStatus();
}

std::string ArgumentText(uint8_t kind) {
  switch (kind) {
    case QUERN_ARGUMENT_POINTER:
      return "*";
    case QUERN_ARGUMENT_I1:
      return "i1";
    case QUERN_ARGUMENT_I8:
      return "i8";
    case QUERN_ARGUMENT_I16:
      return "i16";
    case QUERN_ARGUMENT_I32:
      return "i32";
    case QUERN_ARGUMENT_I64:
      return "i64";
    case QUERN_ARGUMENT_F16:
      return "fp16";
    case QUERN_ARGUMENT_BF16:
      return "bf16";
    case QUERN_ARGUMENT_F32:
      return "fp32";
    case QUERN_ARGUMENT_F64:
      return "fp64";
    default:
      return "?";
  }
}

// The value of a lower-case hexadecimal digit, or -1.
int DigitValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

v1::EventKind ToProto(EventKind kind) {
  switch (kind) {
    case EventKind::kKernelCompiled:
      return v1::EVENT_KIND_KERNEL_COMPILED;
    case EventKind::kCompileFailed:
      return v1::EVENT_KIND_COMPILE_FAILED;
    case EventKind::kReproducerSaved:
      return v1::EVENT_KIND_REPRODUCER_SAVED;
    case EventKind::kSlabRetired:
      return v1::EVENT_KIND_SLAB_RETIRED;
    case EventKind::kChildDied:
      return v1::EVENT_KIND_CHILD_DIED;
    case EventKind::kZygoteRestarted:
      return v1::EVENT_KIND_ZYGOTE_RESTARTED;
    case EventKind::kExecutorDied:
      return v1::EVENT_KIND_EXECUTOR_DIED;
  }
  return v1::EVENT_KIND_UNSPECIFIED;
}

}  // namespace

absl::StatusOr<CompileSpec> FromProto(const v1::CompileRequest& request,
                                      const RequestLimits& limits) {
  QUERN_RETURN_IF_ERROR(CheckSizes(request, limits));
  CompileSpec spec;
  QUERN_ASSIGN_OR_RETURN(spec.format, FormatFrom(request.format()));
  spec.source = request.source();
  spec.entry = request.entry();
  for (const v1::Argument& proto : request.signature()) {
    QUERN_ASSIGN_OR_RETURN(ArgumentSpec argument, ArgumentFrom(proto));
    spec.signature.push_back(std::move(argument));
  }
  QUERN_ASSIGN_OR_RETURN(spec.target, TargetFrom(request.target()));
  spec.options.fp_contract = !request.options().disable_fp_contract();
  return spec;
}

absl::StatusOr<std::optional<CompileOutput>> OutputOf(v1::KernelView view) {
  switch (view) {
    case v1::KERNEL_VIEW_UNSPECIFIED:
    case v1::KERNEL_VIEW_SOURCE:
      return std::optional<CompileOutput>();
    case v1::KERNEL_VIEW_LLVM_IR:
      return std::optional(CompileOutput::kLlvmIr);
    case v1::KERNEL_VIEW_ASSEMBLY:
      return std::optional(CompileOutput::kAssembly);
    case v1::KERNEL_VIEW_PLAN:
      return std::optional(CompileOutput::kPlan);
    default:
      return absl::InvalidArgumentError("view: not a view of a kernel");
  }
}

absl::StatusOr<ListPage> FromProto(const v1::ListKernelsRequest& request) {
  ListPage page;
  if (request.page_size() > kPageSizeMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("page_size: the most is ", kPageSizeMax));
  }
  page.size = request.page_size() == 0 ? kPageSizeMax : request.page_size();
  if (!request.page_token().empty()) {
    const absl::StatusOr<KernelKey> key =
        KernelKey::FromBytes(request.page_token());
    if (!key.ok()) {
      return absl::InvalidArgumentError(
          "page_token: not one that a reply gave");
    }
    page.after = *key;
  }
  return page;
}

absl::StatusOr<SessionToken> ParseSessionToken(std::string_view text) {
  SessionToken token;
  const absl::Status error = absl::InvalidArgumentError(
      "quern-session: a session token is 32 lower-case hexadecimal digits");
  if (text.size() != 2 * token.size()) return error;
  for (size_t i = 0; i < token.size(); ++i) {
    const int high = DigitValue(text[2 * i]);
    const int low = DigitValue(text[2 * i + 1]);
    if (high < 0 || low < 0) return error;
    token[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return token;
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  return google::protobuf::util::TimeUtil::NanosecondsToDuration(
      absl::ToInt64Nanoseconds(duration));
}

v1::SourceFormat ToProto(SourceFormat format) {
  switch (format) {
    case SourceFormat::kTritonIr:
      return v1::SOURCE_FORMAT_TRITON_IR;
    case SourceFormat::kMlir:
      return v1::SOURCE_FORMAT_MLIR;
    case SourceFormat::kLlvmIr:
      return v1::SOURCE_FORMAT_LLVM_IR;
  }
  return v1::SOURCE_FORMAT_UNSPECIFIED;
}

v1::Kernel ToProto(const KernelInfo& info, uint64_t incarnation) {
  v1::Kernel proto;
  proto.set_key(info.key.bytes.data(), info.key.bytes.size());
  proto.set_name(info.name);
  proto.set_slab(info.place.slab);
  proto.set_offset_bytes(uint64_t{info.place.page} * QUERN_IMAGE_ALIGNMENT);
  proto.set_image_size_bytes(info.image_size_bytes);
  proto.set_scratch_size_bytes(info.scratch_size_bytes);
  proto.set_target(info.target);
  proto.set_incarnation(incarnation);
  for (const uint8_t kind : info.argument_kinds) {
    proto.add_arguments(ArgumentText(kind));
  }
  return proto;
}

v1::CompileTimings ToProto(const CompileTimings& timings) {
  v1::CompileTimings proto;
  *proto.mutable_queue() = ToProto(timings.queue);
  *proto.mutable_parse() = ToProto(timings.parse);
  *proto.mutable_plan() = ToProto(timings.plan);
  *proto.mutable_emit() = ToProto(timings.emit);
  *proto.mutable_optimize() = ToProto(timings.optimize);
  *proto.mutable_generate() = ToProto(timings.generate);
  *proto.mutable_link() = ToProto(timings.link);
  *proto.mutable_publish() = ToProto(timings.publish);
  *proto.mutable_child_cpu() = ToProto(timings.child_cpu);
  proto.set_ir_instructions(timings.ir_instructions);
  return proto;
}

v1::CompileResponse ToProto(const CompiledKernel& kernel,
                            uint64_t incarnation) {
  v1::CompileResponse proto;
  *proto.mutable_kernel() = ToProto(kernel.info, incarnation);
  proto.set_cached(kernel.cached);
  if (!kernel.cached) *proto.mutable_timings() = ToProto(kernel.timings);
  if (kernel.image != nullptr) proto.set_image(*kernel.image);
  return proto;
}

v1::WatchEventsResponse ToProto(const Event& event) {
  v1::WatchEventsResponse proto;
  proto.set_kind(ToProto(event.kind));
  *proto.mutable_time() =
      google::protobuf::util::TimeUtil::NanosecondsToTimestamp(
          absl::ToUnixNanos(event.time));
  if (event.key) {
    proto.set_key(event.key->bytes.data(), event.key->bytes.size());
  }
  if (event.duration != absl::ZeroDuration()) {
    *proto.mutable_duration() = ToProto(event.duration);
  }
  proto.set_code(static_cast<uint32_t>(event.code));
  proto.set_cause(event.cause);
  proto.set_slab(event.slab);
  return proto;
}

}  // namespace quern
