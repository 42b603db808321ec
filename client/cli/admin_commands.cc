// list, show, evict: looking into the daemon.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/commands.h"
#include "client/cli/json.h"
#include "client/cli/session.h"
#include "proto/wire/status.h"
#include "quern/v1/admin_service.pb.h"

namespace quern {
namespace {

JsonObject JsonOf(const v1::Kernel& kernel) {
  JsonObject json;
  json.Add("key", absl::BytesToHexString(kernel.key()))
      .Add("name", kernel.name())
      .Add("target", kernel.target())
      .Add("slab", kernel.slab())
      .Add("offset_bytes", kernel.offset_bytes())
      .Add("image_bytes", kernel.image_size_bytes())
      .Add("scratch_bytes", kernel.scratch_size_bytes())
      .Add("arguments", std::vector<std::string>(kernel.arguments().begin(),
                                                 kernel.arguments().end()));
  return json;
}

std::string LineOf(const v1::Kernel& kernel) {
  return absl::StrFormat("%s %8d  %s  %s", absl::BytesToHexString(kernel.key()),
                         kernel.image_size_bytes(), kernel.target(),
                         kernel.name());
}

absl::StatusOr<v1::KernelView> ViewOf(const std::string& name) {
  if (name.empty()) return v1::KERNEL_VIEW_UNSPECIFIED;
  if (name == "source") return v1::KERNEL_VIEW_SOURCE;
  if (name == "llvm") return v1::KERNEL_VIEW_LLVM_IR;
  if (name == "asm") return v1::KERNEL_VIEW_ASSEMBLY;
  if (name == "plan") return v1::KERNEL_VIEW_PLAN;
  return absl::InvalidArgumentError(
      absl::StrCat("--emit is source, llvm, asm or plan, not ", name));
}

std::string BytesOf(const KernelKey& key) {
  return {reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()};
}

}  // namespace

absl::Status RunList(const Words& words) {
  QUERN_ASSIGN_OR_RETURN(const Arguments arguments,
                         Arguments::Parse(words, {}));
  QUERN_ASSIGN_OR_RETURN(const auto client,
                         ConnectFor(arguments, Start::kNever));
  std::vector<JsonObject> kernels;
  v1::ListKernelsRequest request;
  do {
    v1::ListKernelsResponse page;
    QUERN_RETURN_IF_ERROR(client->Call("quern.v1.AdminService/ListKernels",
                                       request, kCallTimeout, page));
    for (const v1::Kernel& kernel : page.kernels()) {
      if (arguments.Has("json")) {
        kernels.push_back(JsonOf(kernel));
      } else {
        PrintLine(LineOf(kernel));
      }
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  if (arguments.Has("json")) {
    PrintLine(JsonObject().Add("kernels", kernels).ToString());
  }
  return absl::OkStatus();
}

absl::Status RunShow(const Words& words) {
  QUERN_ASSIGN_OR_RETURN(
      const Arguments arguments,
      Arguments::Parse(words, {.positionals = {"KEY"}, .options = {"emit"}}));
  QUERN_ASSIGN_OR_RETURN(const KernelKey key,
                         KernelKey::FromHex(arguments.positional(0)));
  v1::GetKernelRequest request;
  request.set_key(BytesOf(key));
  QUERN_ASSIGN_OR_RETURN(const v1::KernelView view,
                         ViewOf(arguments.Get("emit", "")));
  request.set_view(view);
  QUERN_ASSIGN_OR_RETURN(const auto client,
                         ConnectFor(arguments, Start::kNever));
  v1::GetKernelResponse response;
  QUERN_RETURN_IF_ERROR(client->Call("quern.v1.AdminService/GetKernel", request,
                                     kCallTimeout, response));
  if (arguments.Has("json")) {
    JsonObject json = JsonOf(response.kernel());
    if (view != v1::KERNEL_VIEW_UNSPECIFIED) json.Add("text", response.text());
    PrintLine(json.ToString());
  } else {
    PrintLine(view == v1::KERNEL_VIEW_UNSPECIFIED ? LineOf(response.kernel())
                                                  : response.text());
  }
  return absl::OkStatus();
}

absl::Status RunEvict(const Words& words) {
  QUERN_ASSIGN_OR_RETURN(const Arguments arguments,
                         Arguments::Parse(words, {.positionals = {"KEY"}}));
  QUERN_ASSIGN_OR_RETURN(const KernelKey key,
                         KernelKey::FromHex(arguments.positional(0)));
  QUERN_ASSIGN_OR_RETURN(const auto client,
                         ConnectFor(arguments, Start::kNever));
  v1::EvictRequest request;
  request.set_key(BytesOf(key));
  v1::EvictResponse response;
  return client->Call("quern.v1.AdminService/Evict", request, kCallTimeout,
                      response);
}

}  // namespace quern
