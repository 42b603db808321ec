// Defaults and ranges of the configuration.
#include "server/app/config.h"

#include <fcntl.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "proto/wire/image_format.h"
#include "proto/wire/kernel_abi.h"
#include "proto/wire/ring_layout.h"
#include "proto/wire/status.h"
#include "proto/wire/unique_fd.h"
#include "quern/config/v1/daemon.pb.h"
#include "server/executor/slot_ids.h"

namespace quern {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr size_t kFileSizeMax = kMiB;

// Of a Unix socket's address, without the zero byte at its end.
constexpr size_t kSocketPathSizeMax = 107;

// Linux's PATH_MAX, without the zero byte at its end.
constexpr size_t kPathSizeMax = 4095;

// Keeps the first error of the parser.
class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (!status_.ok()) return;
    status_ = absl::InvalidArgumentError(
        absl::StrCat(line + 1, ":", column + 1, ": ", message));
  }

  const absl::Status& status() const { return status_; }

 private:
  absl::Status status_;
};

// Puts values into their ranges, and remembers the first that is not in it.
class Checker final {
 public:
  // `value`, or `standard` if it was left out; from `least` to `most`.
  template <typename T>
  T Number(const char* name, T value, T standard, T least, T most) {
    const T result = value == 0 ? standard : value;
    if (result < least || result > most) {
      Report(absl::StrCat(name, ": ", result, " is not between ", least,
                          " and ", most));
    }
    return result;
  }

  absl::Duration Time(const char* name, bool given,
                      const google::protobuf::Duration& value,
                      absl::Duration standard) {
    if (!given) return standard;
    const absl::Duration result =
        absl::Seconds(value.seconds()) + absl::Nanoseconds(value.nanos());
    if (result <= absl::ZeroDuration() || result > absl::Hours(24 * 365)) {
      Report(absl::StrCat(name, ": not between 1 ns and a year"));
    }
    return result;
  }

  std::string SocketPath(const char* name, const std::string& path) {
    if (path.empty() || path.size() > kSocketPathSizeMax ||
        path.find('\0') != std::string::npos) {
      Report(absl::StrCat(name, ": a path of 1 to ", kSocketPathSizeMax,
                          " bytes is required"));
    }
    return path;
  }

  // Empty: there is none.
  std::string FolderPath(const char* name, const std::string& path) {
    if (!path.empty() && (path.front() != '/' || path.size() > kPathSizeMax ||
                          path.find('\0') != std::string::npos)) {
      Report(absl::StrCat(name, ": not an absolute path of at most ",
                          kPathSizeMax, " bytes"));
    }
    return path;
  }

  // Whether every layer of a sandbox is required.
  bool Required(const char* name, config::v1::SandboxMode mode) {
    if (!config::v1::SandboxMode_IsValid(mode)) {
      Report(absl::StrCat(name, ": not a mode of the sandbox"));
    }
    return mode != config::v1::SANDBOX_MODE_BEST_EFFORT;
  }

  void Report(std::string message) {
    if (status_.ok()) {
      status_ = absl::InvalidArgumentError(std::move(message));
    }
  }

  const absl::Status& status() const { return status_; }

 private:
  absl::Status status_;
};

void ReadSizes(const config::v1::Limits& limits, Checker& check,
               Config& config) {
  config.source_size_bytes_max = check.Number<uint64_t>(
      "limits.source_size_bytes_max", limits.source_size_bytes_max(), 16 * kMiB,
      1, 1024 * kMiB);
  config.message_size_bytes_max = check.Number<uint64_t>(
      "limits.message_size_bytes_max", limits.message_size_bytes_max(),
      32 * kMiB, 4096, 1024 * kMiB);
  config.compile_memory_bytes_max = check.Number<uint64_t>(
      "limits.compile_memory_bytes_max", limits.compile_memory_bytes_max(),
      2048 * kMiB, 16 * kMiB, uint64_t{1} << 46);
  config.image_size_bytes_max = check.Number<uint64_t>(
      "limits.image_size_bytes_max", limits.image_size_bytes_max(),
      QUERN_IMAGE_SIZE_MAX, QUERN_IMAGE_HEADER_SIZE, QUERN_IMAGE_SIZE_MAX);
  config.code_memory_bytes_max = check.Number<uint64_t>(
      "limits.code_memory_bytes_max", limits.code_memory_bytes_max(),
      512 * kMiB, QUERN_IMAGE_ALIGNMENT, uint64_t{1} << 40);
  config.slab_size_bytes =
      check.Number<uint64_t>("limits.slab_size_bytes", limits.slab_size_bytes(),
                             4 * kMiB, QUERN_IMAGE_ALIGNMENT, 256 * kMiB);
  if (config.slab_size_bytes % QUERN_IMAGE_ALIGNMENT != 0) {
    check.Report("limits.slab_size_bytes: not a multiple of 4096");
  }
  if (config.slab_size_bytes > config.code_memory_bytes_max) {
    check.Report(
        "limits.slab_size_bytes: larger than limits.code_memory_bytes_max");
  }
  config.stored_source_bytes_max = check.Number<uint64_t>(
      "limits.stored_source_bytes_max", limits.stored_source_bytes_max(),
      64 * kMiB, 1, uint64_t{1} << 40);
  config.stored_image_bytes_max = check.Number<uint64_t>(
      "limits.stored_image_bytes_max", limits.stored_image_bytes_max(),
      64 * kMiB, 1, uint64_t{1} << 40);
}

void ReadCounts(const config::v1::Limits& limits, Checker& check,
                Config& config) {
  config.arguments_max =
      check.Number<uint32_t>("limits.arguments_max", limits.arguments_max(),
                             QUERN_ARGUMENTS_MAX, 1, QUERN_ARGUMENTS_MAX);
  config.compile_timeout =
      check.Time("limits.compile_timeout", limits.has_compile_timeout(),
                 limits.compile_timeout(), absl::Seconds(60));
  config.compile_children_max = check.Number<uint32_t>(
      "limits.compile_children_max", limits.compile_children_max(), 2, 1, 256);
  config.queued_compiles_max =
      check.Number<uint32_t>("limits.queued_compiles_max",
                             limits.queued_compiles_max(), 256, 1, 65536);
  config.queued_compiles_per_session_max = check.Number<uint32_t>(
      "limits.queued_compiles_per_session_max",
      limits.queued_compiles_per_session_max(), 64, 1, 65536);
  config.directory_entries_max =
      check.Number<uint32_t>("limits.directory_entries_max",
                             limits.directory_entries_max(), 16384, 1, 1 << 24);
  config.nesting_max = check.Number<uint32_t>(
      "limits.nesting_max", limits.nesting_max(), 256, 1, 4096);
  config.sessions_max = check.Number<uint32_t>(
      "limits.sessions_max", limits.sessions_max(), 256, 1, 65536);
}

void ReadServed(const config::v1::Limits& limits, Checker& check,
                Config& config) {
  config.rings_per_session_max = check.Number<uint32_t>(
      "limits.rings_per_session_max", limits.rings_per_session_max(), 4, 1, 64);
  config.ring_slots_max =
      check.Number<uint32_t>("limits.ring_slots_max", limits.ring_slots_max(),
                             QUERN_RING_SLOTS_MAX, 1, QUERN_RING_SLOTS_MAX);
  config.buffers_per_session_max = check.Number<uint32_t>(
      "limits.buffers_per_session_max", limits.buffers_per_session_max(), 64, 1,
      1 << kBufferIndexBits);
  config.buffer_bytes_per_session_max =
      check.Number<uint64_t>("limits.buffer_bytes_per_session_max",
                             limits.buffer_bytes_per_session_max(), 4096 * kMiB,
                             4096, uint64_t{1} << QUERN_RING_OFFSET_BITS);
  config.served_kernels_per_session_max =
      check.Number<uint32_t>("limits.served_kernels_per_session_max",
                             limits.served_kernels_per_session_max(),
                             1 << kKernelIndexBits, 1, 1 << kKernelIndexBits);
  config.launch_timeout =
      check.Time("limits.launch_timeout", limits.has_launch_timeout(),
                 limits.launch_timeout(), absl::Seconds(10));
  config.executor_memory_bytes_max = check.Number<uint64_t>(
      "limits.executor_memory_bytes_max", limits.executor_memory_bytes_max(),
      1024 * kMiB, 16 * kMiB, uint64_t{1} << 46);
  config.inline_launch_bytes_max = check.Number<uint64_t>(
      "limits.inline_launch_bytes_max", limits.inline_launch_bytes_max(),
      16 * kMiB, 1, 1024 * kMiB);
}

void ReadExecutor(const config::v1::Executor& executor,
                  const ConfigContext& context, Checker& check,
                  Config& config) {
  config.executor_path =
      executor.path().empty()
          ? absl::StrCat(context.program_folder, "/quern-executor")
          : executor.path();
  config.executor_sandbox_required =
      check.Required("executor.sandbox", executor.sandbox());
  config.executor_threads = check.Number<uint32_t>(
      "executor.threads", executor.threads(), 0, 0, 1024);
}

void ReadCompiler(const config::v1::Compiler& compiler,
                  const ConfigContext& context, Checker& check,
                  Config& config) {
  config.worker_path =
      compiler.worker_path().empty()
          ? absl::StrCat(context.program_folder, "/quern-compile-worker")
          : compiler.worker_path();
  config.sandbox_required =
      check.Required("compiler.sandbox", compiler.sandbox());
  config.crashes_max = check.Number<uint32_t>(
      "compiler.crashes_max", compiler.crashes_max(), 3, 1, 1000);
  config.crash_refusal =
      check.Time("compiler.crash_refusal", compiler.has_crash_refusal(),
                 compiler.crash_refusal(), absl::Minutes(5));
  config.crashes_per_zygote_max =
      check.Number<uint32_t>("compiler.crashes_per_zygote_max",
                             compiler.crashes_per_zygote_max(), 16, 1, 1000000);
}

void ReadDiagnostics(const config::v1::Diagnostics& diagnostics, Checker& check,
                     Config& config) {
  if (diagnostics.metrics_port() > 65535) {
    check.Report("diagnostics.metrics_port: not a port");
  }
  config.metrics_port = diagnostics.metrics_port();
  config.reproducers_path = check.FolderPath("diagnostics.reproducers_path",
                                             diagnostics.reproducers_path());
  config.reproducers_max =
      check.Number<uint32_t>("diagnostics.reproducers_max",
                             diagnostics.reproducers_max(), 16, 1, 10000);
  config.reproducer_size_bytes_max = check.Number<uint64_t>(
      "diagnostics.reproducer_size_bytes_max",
      diagnostics.reproducer_size_bytes_max(), 16 * kMiB, 1, 1024 * kMiB);
  config.watchers_max = check.Number<uint32_t>(
      "diagnostics.watchers_max", diagnostics.watchers_max(), 16, 1, 1024);
}

void ReadAccess(const config::v1::Access& access, const ConfigContext& context,
                Checker& check, Config& config) {
  config.access.user_ids.assign(access.user_ids().begin(),
                                access.user_ids().end());
  config.access.group_ids.assign(access.group_ids().begin(),
                                 access.group_ids().end());
  for (const std::string& name : access.groups()) {
    const absl::StatusOr<uint32_t> group = context.find_group(name);
    if (group.ok()) {
      config.access.group_ids.push_back(*group);
    } else {
      check.Report(absl::StrCat("access.groups: ", group.status().message()));
    }
  }
  if (access.user_ids().empty() && access.group_ids().empty() &&
      access.groups().empty()) {
    config.access.user_ids = {context.user_id, 0};
  }
}

void ReadDisk(const config::v1::Disk& disk, Checker& check, Config& config) {
  config.disk_path = check.FolderPath("disk.path", disk.path());
  config.disk_size_bytes_max =
      check.Number<uint64_t>("disk.size_bytes_max", disk.size_bytes_max(),
                             1024 * kMiB, kMiB, uint64_t{1} << 46);
  config.disk_read_timeout =
      check.Time("disk.read_timeout", disk.has_read_timeout(),
                 disk.read_timeout(), absl::Seconds(1));
  config.disk_queued_reads_max = check.Number<uint32_t>(
      "disk.queued_reads_max", disk.queued_reads_max(), 256, 1, 65536);
  config.disk_queued_writes_max = check.Number<uint32_t>(
      "disk.queued_writes_max", disk.queued_writes_max(), 256, 1, 65536);
  config.disk_queued_write_bytes_max = check.Number<uint64_t>(
      "disk.queued_write_bytes_max", disk.queued_write_bytes_max(), 64 * kMiB,
      1, uint64_t{1} << 40);
}

LogLevel LogLevelFrom(config::v1::LogLevel level, Checker& check) {
  switch (level) {
    case config::v1::LOG_LEVEL_UNSPECIFIED:
    case config::v1::LOG_LEVEL_INFO:
      return LogLevel::kInfo;
    case config::v1::LOG_LEVEL_ERROR:
      return LogLevel::kError;
    case config::v1::LOG_LEVEL_WARNING:
      return LogLevel::kWarning;
    case config::v1::LOG_LEVEL_DEBUG:
      return LogLevel::kDebug;
    default:
      check.Report("log_level: not a level");
      return LogLevel::kInfo;
  }
}

}  // namespace

absl::StatusOr<Config> ParseConfig(const std::string& text,
                                   const ConfigContext& context) {
  config::v1::DaemonConfig proto;
  FirstError errors;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  if (!parser.ParseFromString(text, &proto)) return errors.status();
  Config config;
  Checker check;
  config.rpc_path =
      check.SocketPath("sockets.rpc_path", proto.sockets().rpc_path());
  config.attach_path =
      check.SocketPath("sockets.attach_path", proto.sockets().attach_path());
  if (config.rpc_path == config.attach_path) {
    check.Report("sockets: both have one path");
  }
  config.socket_mode = check.Number<uint32_t>(
      "sockets.mode", proto.sockets().mode(), 0600, 0001, 0777);
  ReadSizes(proto.limits(), check, config);
  ReadCounts(proto.limits(), check, config);
  ReadServed(proto.limits(), check, config);
  ReadCompiler(proto.compiler(), context, check, config);
  ReadExecutor(proto.executor(), context, check, config);
  ReadAccess(proto.access(), context, check, config);
  ReadDiagnostics(proto.diagnostics(), check, config);
  ReadDisk(proto.disk(), check, config);
  config.log_level = LogLevelFrom(proto.log_level(), check);
  config.drain_timeout = check.Time("drain_timeout", proto.has_drain_timeout(),
                                    proto.drain_timeout(), absl::Seconds(10));
  config.idle_timeout =
      check.Time("idle_timeout", proto.has_idle_timeout(), proto.idle_timeout(),
                 absl::InfiniteDuration());
  if (!check.status().ok()) return check.status();
  return config;
}

absl::StatusOr<Config> LoadConfig(const std::string& path,
                                  const ConfigContext& context) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return ErrnoStatus(errno, absl::StrCat("open ", path));
  std::string text(kFileSizeMax + 1, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t count =
        ::read(file.get(), text.data() + size, text.size() - size);
    if (count < 0) return ErrnoStatus(errno, absl::StrCat("read ", path));
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  if (size > kFileSizeMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is larger than 1 MiB"));
  }
  text.resize(size);
  absl::StatusOr<Config> config = ParseConfig(text, context);
  if (!config.ok()) return Annotate(config.status(), path);
  return config;
}

}  // namespace quern
