// Conversions between jobs, results and their messages.
#include "server/workers/job_messages.h"

#include <google/protobuf/util/time_util.h>

#include <cstdint>
#include <initializer_list>
#include <utility>

#include "proto/wire/status.h"
#include "quern/worker/v1/worker.pb.h"

namespace quern {
namespace {

using google::protobuf::util::TimeUtil;

// A message for people; what is longer is cut.
constexpr size_t kMessageSizeMax = 4096;

google::protobuf::Duration ToProto(absl::Duration duration) {
  return TimeUtil::NanosecondsToDuration(absl::ToInt64Nanoseconds(duration));
}

absl::StatusOr<absl::Duration> FromProto(
    const google::protobuf::Duration& duration) {
  // A day is longer than any compile.
  if (duration.seconds() < 0 || duration.seconds() > 86400 ||
      duration.nanos() < 0 || duration.nanos() > 999999999) {
    return absl::InvalidArgumentError("a duration is out of range");
  }
  return absl::Seconds(duration.seconds()) +
         absl::Nanoseconds(duration.nanos());
}

// The codes that Compiler::Compile documents.
bool IsCompileCode(int code) {
  switch (static_cast<absl::StatusCode>(code)) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kInternal:
      return true;
    default:
      return false;
  }
}

absl::StatusOr<CompileTimings> TimingsFrom(const v1::CompileTimings& proto) {
  CompileTimings timings;
  struct Step {
    const google::protobuf::Duration& from;
    absl::Duration& to;
  };
  for (const Step& step :
       std::initializer_list<Step>{{proto.parse(), timings.parse},
                                   {proto.plan(), timings.plan},
                                   {proto.emit(), timings.emit},
                                   {proto.optimize(), timings.optimize},
                                   {proto.generate(), timings.generate},
                                   {proto.link(), timings.link},
                                   {proto.child_cpu(), timings.child_cpu}}) {
    QUERN_ASSIGN_OR_RETURN(step.to, FromProto(step.from));
  }
  timings.ir_instructions = proto.ir_instructions();
  return timings;
}

v1::KernelView ViewOf(CompileOutput output) {
  switch (output) {
    case CompileOutput::kImage:
      return v1::KERNEL_VIEW_UNSPECIFIED;
    case CompileOutput::kPlan:
      return v1::KERNEL_VIEW_PLAN;
    case CompileOutput::kLlvmIr:
      return v1::KERNEL_VIEW_LLVM_IR;
    case CompileOutput::kAssembly:
      return v1::KERNEL_VIEW_ASSEMBLY;
  }
  return v1::KERNEL_VIEW_UNSPECIFIED;
}

absl::StatusOr<CompileOutput> OutputOf(v1::KernelView view) {
  switch (view) {
    case v1::KERNEL_VIEW_UNSPECIFIED:
      return CompileOutput::kImage;
    case v1::KERNEL_VIEW_PLAN:
      return CompileOutput::kPlan;
    case v1::KERNEL_VIEW_LLVM_IR:
      return CompileOutput::kLlvmIr;
    case v1::KERNEL_VIEW_ASSEMBLY:
      return CompileOutput::kAssembly;
    default:
      return absl::InvalidArgumentError("not a view that is compiled");
  }
}

}  // namespace

std::string EncodeJob(const CompileJob& job) {
  worker::v1::Job proto;
  // The proto numbers formats as the key does.
  proto.set_format(static_cast<v1::SourceFormat>(job.spec->format));
  proto.set_source(job.spec->source);
  proto.set_entry(job.spec->entry);
  for (const ArgumentSpec& argument : job.spec->signature) {
    v1::Argument* added = proto.add_signature();
    added->set_type(argument.type);
    added->set_divisibility(argument.divisibility);
    if (argument.constant) added->set_constant(*argument.constant);
  }
  proto.set_target(CanonicalBytes(job.spec->target));
  proto.set_fp_contract(job.spec->options.fp_contract);
  proto.set_key(job.key.bytes.data(), job.key.bytes.size());
  proto.set_view(ViewOf(job.output));
  return proto.SerializeAsString();
}

absl::StatusOr<ReceivedJob> DecodeJob(std::string_view bytes) {
  worker::v1::Job proto;
  if (bytes.size() > INT32_MAX ||
      !proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError("not a job");
  }
  ReceivedJob job;
  job.spec.format = static_cast<SourceFormat>(proto.format());
  job.spec.source = std::move(*proto.mutable_source());
  job.spec.entry = std::move(*proto.mutable_entry());
  for (v1::Argument& argument : *proto.mutable_signature()) {
    ArgumentSpec& added = job.spec.signature.emplace_back();
    added.type = std::move(*argument.mutable_type());
    added.divisibility = argument.divisibility();
    if (argument.has_constant()) added.constant = argument.constant();
  }
  QUERN_ASSIGN_OR_RETURN(job.spec.target, ParseTarget(proto.target()));
  job.spec.options.fp_contract = proto.fp_contract();
  QUERN_ASSIGN_OR_RETURN(job.key, KernelKey::FromBytes(proto.key()));
  QUERN_ASSIGN_OR_RETURN(job.output, OutputOf(proto.view()));
  return job;
}

std::string EncodeResult(const absl::StatusOr<CompileResult>& result,
                         CompileOutput output, absl::Duration cpu_time) {
  worker::v1::Result proto;
  proto.set_code(static_cast<int>(result.status().code()));
  if (!result.ok()) {
    const absl::string_view message = result.status().message();
    proto.set_message(std::string(message.substr(0, kMessageSizeMax)));
    return proto.SerializeAsString();
  }
  std::string* bytes = output == CompileOutput::kImage ? proto.mutable_image()
                                                       : proto.mutable_text();
  *bytes = result->bytes;
  const CompileSteps& steps = result->steps;
  v1::CompileTimings& timings = *proto.mutable_timings();
  *timings.mutable_parse() = ToProto(steps.parse);
  *timings.mutable_plan() = ToProto(steps.plan);
  *timings.mutable_emit() = ToProto(steps.emit);
  *timings.mutable_optimize() = ToProto(steps.optimize);
  *timings.mutable_generate() = ToProto(steps.generate);
  *timings.mutable_link() = ToProto(steps.link);
  *timings.mutable_child_cpu() = ToProto(cpu_time);
  timings.set_ir_instructions(steps.ir_instructions);
  return proto.SerializeAsString();
}

absl::StatusOr<CompileOutcome> DecodeResult(std::string_view bytes,
                                            CompileOutput output) {
  worker::v1::Result proto;
  if (bytes.size() > INT32_MAX ||
      !proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError("not a result");
  }
  if (!IsCompileCode(proto.code())) {
    return absl::InvalidArgumentError("a result of unknown status");
  }
  CompileOutcome outcome;
  outcome.status = absl::Status(static_cast<absl::StatusCode>(proto.code()),
                                proto.message().substr(0, kMessageSizeMax));
  if (!outcome.status.ok()) return outcome;
  outcome.bytes =
      std::move(output == CompileOutput::kImage ? *proto.mutable_image()
                                                : *proto.mutable_text());
  if (outcome.bytes.empty()) {
    return absl::InvalidArgumentError("a success without bytes");
  }
  QUERN_ASSIGN_OR_RETURN(outcome.timings, TimingsFrom(proto.timings()));
  return outcome;
}

}  // namespace quern
