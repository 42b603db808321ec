// The C ABI over Client. No exception and no C++ type crosses it.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>

#include "client/include/quern/quern.h"
#include "client/library/c_api_support.h"
#include "client/library/client.h"
#include "client/library/version.h"

namespace quern {
namespace {

constexpr uint32_t kCompileTimeoutMs = 120'000;

// A copy of the caller's struct, with zeros beyond the caller's size.
template <typename Struct>
Struct Versioned(const Struct* given) {
  Struct copy;
  std::memset(&copy, 0, sizeof(copy));
  if (given != nullptr) {
    std::memcpy(&copy, given, std::min(given->size_bytes, sizeof(copy)));
  }
  return copy;
}

std::string TextOf(const char* text) { return text == nullptr ? "" : text; }

ClientOptions OptionsOf(const quern_client_options* given) {
  const auto options = Versioned(given);
  ClientOptions result;
  result.sockets = {.rpc_path = TextOf(options.rpc_path),
                    .attach_path = TextOf(options.attach_path)};
  result.daemon_program = TextOf(options.daemon_program);
  result.thread_count = options.threads;
  if (options.connect_timeout_ms != 0) {
    result.connect_timeout = absl::Milliseconds(options.connect_timeout_ms);
  }
  result.start_private_daemon = options.no_private_daemon == 0;
  result.fail_fast = options.fail_fast != 0;
  return result;
}

SourceFormat FormatOf(quern_source_format format) {
  switch (format) {
    case QUERN_SOURCE_TRITON_IR:
      return SourceFormat::kTritonIr;
    case QUERN_SOURCE_MLIR:
      return SourceFormat::kMlir;
    case QUERN_SOURCE_LLVM_IR:
      return SourceFormat::kLlvmIr;
  }
  return static_cast<SourceFormat>(0);  // Refused by the daemon.
}

CompileSpec SpecOf(const quern_source& source) {
  CompileSpec spec;
  spec.format = FormatOf(source.format);
  if (source.text != nullptr) {
    spec.source.assign(source.text, source.text_size_bytes);
  }
  spec.entry = TextOf(source.entry);
  for (size_t i = 0; source.arguments != nullptr && i < source.argument_count;
       ++i) {
    const quern_argument& argument = source.arguments[i];
    ArgumentSpec& added = spec.signature.emplace_back();
    added.type = TextOf(argument.type);
    added.divisibility = std::max(argument.divisibility, 1u);
    if (argument.has_constant != 0) added.constant = argument.constant;
  }
  spec.options.fp_contract = source.disable_fp_contract == 0;
  return spec;
}

}  // namespace
}  // namespace quern

quern_code quern_client_create(const quern_client_options* options,
                               quern_client** client, quern_error* error) {
  absl::StatusOr<std::unique_ptr<quern::Client>> created =
      quern::Client::Create(quern::OptionsOf(options));
  if (created.ok()) *client = new quern_client{*std::move(created)};
  return quern::Report(created.status(), error);
}

void quern_client_destroy(quern_client* client) { delete client; }

quern_code quern_compile(quern_client* client, const quern_source* source,
                         quern_kernel** kernel, quern_error* error) {
  const quern_source given = quern::Versioned(source);
  const uint32_t timeout_ms =
      given.timeout_ms == 0 ? quern::kCompileTimeoutMs : given.timeout_ms;
  absl::StatusOr<quern::Compiled> compiled = client->client->Compile(
      quern::SpecOf(given), absl::Milliseconds(timeout_ms));
  if (compiled.ok()) *kernel = new quern_kernel{compiled->kernel};
  return quern::Report(compiled.status(), error);
}

quern_code quern_lookup(quern_client* client, const uint8_t key[32],
                        quern_kernel** kernel, quern_error* error) {
  quern::KernelKey wanted;
  std::memcpy(wanted.bytes.data(), key, wanted.bytes.size());
  absl::StatusOr<quern::KernelRef> found = client->client->Lookup(wanted);
  if (found.ok()) *kernel = new quern_kernel{*std::move(found)};
  return quern::Report(found.status(), error);
}

void quern_kernel_release(quern_kernel* kernel) { delete kernel; }

void quern_kernel_key(const quern_kernel* kernel, uint8_t key[32]) {
  std::memcpy(key, kernel->kernel->key.bytes.data(), 32);
}

uint32_t quern_kernel_argument_count(const quern_kernel* kernel) {
  return kernel->kernel->header.argument_count;
}

uint64_t quern_kernel_scratch_size(const quern_kernel* kernel) {
  return kernel->kernel->header.scratch_size_bytes;
}

quern_entry quern_kernel_entry(const quern_kernel* kernel) {
  return kernel->kernel->entry;
}

quern_code quern_launch_grid(quern_client* client, const quern_kernel* kernel,
                             quern_grid grid, const uint64_t* args,
                             size_t argument_count, uint32_t threads,
                             quern_error* error) {
  const quern::Grid programs = {grid.x, std::max(grid.y, 1u),
                                std::max(grid.z, 1u)};
  return quern::Report(client->client->Launch(
                           *kernel->kernel, programs,
                           absl::MakeConstSpan(args, argument_count), threads),
                       error);
}

const char* quern_version() { return quern::kVersion; }
