// compile: a file of Triton IR to a kernel, with the times of each step.
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "client/cli/commands.h"
#include "client/cli/durations.h"
#include "client/cli/json.h"
#include "client/cli/session.h"
#include "client/runtime/stopwatch.h"
#include "proto/wire/status.h"
#include "quern/v1/admin_service.pb.h"

namespace quern {
namespace {

struct Emission {
  std::string name;
  v1::KernelView view = v1::KERNEL_VIEW_UNSPECIFIED;
};

absl::StatusOr<Emission> EmissionOf(const Arguments& arguments) {
  const std::string name = arguments.Get("emit", "");
  if (name.empty() || name == "image") return Emission{.name = name};
  if (name == "asm") return Emission{name, v1::KERNEL_VIEW_ASSEMBLY};
  if (name == "llvm") return Emission{name, v1::KERNEL_VIEW_LLVM_IR};
  if (name == "plan") return Emission{name, v1::KERNEL_VIEW_PLAN};
  return absl::InvalidArgumentError(
      absl::StrCat("--emit is image, asm, llvm or plan, not ", name));
}

// "TRIPLE:CPU[:FEATURES]", features separated by commas.
absl::StatusOr<TargetSpec> TargetOf(const std::string& text) {
  TargetSpec target;
  if (text.empty()) return target;
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  if (parts.size() < 2 || parts.size() > 3 || parts[0].empty()) {
    return absl::InvalidArgumentError(
        "--target is TRIPLE:CPU or TRIPLE:CPU:FEATURES");
  }
  target.triple = parts[0];
  target.cpu = parts[1];
  if (parts.size() == 3) {
    target.features = absl::StrSplit(parts[2], ',', absl::SkipEmpty());
  }
  return target;
}

// What is known of a compile, under its stable names.
JsonObject JsonOf(const Compiled& compiled, double total_ms) {
  const v1::CompileTimings& timings = compiled.response.timings();
  const bool here = compiled.kernel != nullptr;
  const v1::Kernel& kernel = compiled.response.kernel();
  JsonObject json;
  json.Add("key", compiled.key.ToHex())
      .Add("name", here ? compiled.kernel->Name() : kernel.name())
      .Add("cached", compiled.cached)
      .Add("total_ms", total_ms)
      .Add("child_cpu_ms", Milliseconds(timings.child_cpu()))
      .Add("queue_ms", Milliseconds(timings.queue()))
      .Add("parse_ms", Milliseconds(timings.parse()))
      .Add("plan_ms", Milliseconds(timings.plan()))
      .Add("emit_ms", Milliseconds(timings.emit()))
      .Add("optimize_ms", Milliseconds(timings.optimize()))
      .Add("generate_ms", Milliseconds(timings.generate()))
      .Add("link_ms", Milliseconds(timings.link()))
      .Add("publish_ms", Milliseconds(timings.publish()))
      .Add("ir_instructions", timings.ir_instructions())
      .Add("image_bytes", here ? compiled.kernel->header.image_size_bytes
                               : kernel.image_size_bytes())
      .Add("scratch_bytes", here ? compiled.kernel->header.scratch_size_bytes
                                 : kernel.scratch_size_bytes());
  return json;
}

std::string TextOf(const Compiled& compiled, double total_ms) {
  const v1::CompileTimings& timings = compiled.response.timings();
  std::string text =
      absl::StrFormat("%s %s, %.2f ms\n", compiled.key.ToHex(),
                      compiled.cached ? "cached" : "compiled", total_ms);
  if (!compiled.cached) {
    absl::StrAppendFormat(
        &text,
        "  queue %.2f, parse %.2f, plan %.2f, emit %.2f, optimize %.2f,\n"
        "  generate %.2f, link %.2f, publish %.2f; child's CPU %.2f ms,\n"
        "  %d LLVM instructions\n",
        Milliseconds(timings.queue()), Milliseconds(timings.parse()),
        Milliseconds(timings.plan()), Milliseconds(timings.emit()),
        Milliseconds(timings.optimize()), Milliseconds(timings.generate()),
        Milliseconds(timings.link()), Milliseconds(timings.publish()),
        Milliseconds(timings.child_cpu()), timings.ir_instructions());
  }
  return text;
}

std::string ImageOf(const Compiled& compiled) {
  if (compiled.kernel == nullptr) return compiled.response.image();
  return {reinterpret_cast<const char*>(compiled.kernel->image),
          compiled.kernel->header.image_size_bytes};
}

absl::Status Write(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) return ErrnoStatus(errno, absl::StrCat("writing ", path));
  return absl::OkStatus();
}

// What is to be emitted: the image's bytes, or a text.
absl::StatusOr<std::string> Emitted(const Emission& emission, Client& client,
                                    const Compiled& compiled) {
  if (emission.view == v1::KERNEL_VIEW_UNSPECIFIED) return ImageOf(compiled);
  v1::GetKernelRequest request;
  request.set_key(compiled.key.bytes.data(), compiled.key.bytes.size());
  request.set_view(emission.view);
  v1::GetKernelResponse response;
  QUERN_RETURN_IF_ERROR(client.Call("quern.v1.AdminService/GetKernel", request,
                                    kCallTimeout, response));
  return response.text();
}

}  // namespace

absl::Status RunCompile(const Words& words) {
  QUERN_ASSIGN_OR_RETURN(
      const Arguments arguments,
      Arguments::Parse(words,
                       {.positionals = {"FILE"},
                        .options = {"entry", "target", "emit", "output"}}));
  QUERN_ASSIGN_OR_RETURN(const Emission emission, EmissionOf(arguments));
  const bool to_file = arguments.Has("output");
  if (emission.name == "image" && !to_file) {
    return absl::InvalidArgumentError("--emit image needs --output FILE");
  }
  if (emission.name.empty() && to_file) {
    return absl::InvalidArgumentError("--output needs --emit");
  }
  CompileSpec spec;
  QUERN_ASSIGN_OR_RETURN(spec.source, ReadFile(arguments.positional(0)));
  spec.entry = arguments.Get("entry", "");
  QUERN_ASSIGN_OR_RETURN(spec.target, TargetOf(arguments.Get("target", "")));
  QUERN_ASSIGN_OR_RETURN(const auto client,
                         ConnectFor(arguments, Start::kIfNeeded));
  const Stopwatch stopwatch;
  absl::StatusOr<Compiled> compiled = client->Compile(spec, kCallTimeout);
  const double total_ms = absl::ToDoubleMilliseconds(stopwatch.elapsed());
  QUERN_RETURN_IF_ERROR(Annotate(compiled.status(), arguments.positional(0)));
  std::string emitted;
  if (!emission.name.empty()) {
    QUERN_ASSIGN_OR_RETURN(emitted, Emitted(emission, *client, *compiled));
  }
  if (to_file) {
    QUERN_RETURN_IF_ERROR(Write(arguments.Get("output", ""), emitted));
  }
  const bool to_output = !emission.name.empty() && !to_file;
  if (arguments.Has("json")) {
    JsonObject json = JsonOf(*compiled, total_ms);
    if (to_output) json.Add("text", emitted);
    PrintLine(json.ToString());
  } else {
    PrintLine(to_output ? emitted : TextOf(*compiled, total_ms));
  }
  return absl::OkStatus();
}

}  // namespace quern
