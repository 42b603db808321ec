// The daemon's configuration, read from one file and checked.
#ifndef QUERN_SERVER_APP_CONFIG_H_
#define QUERN_SERVER_APP_CONFIG_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/app/group.h"
#include "server/core/access.h"
#include "server/core/logger.h"

namespace quern {

// quern.config.v1.DaemonConfig with every default filled in and every value in
// its range.
struct Config {
  std::string rpc_path;
  std::string attach_path;
  uint32_t socket_mode = 0600;

  uint64_t source_size_bytes_max = 0;
  uint32_t arguments_max = 0;
  uint64_t message_size_bytes_max = 0;
  absl::Duration compile_timeout;
  uint64_t compile_memory_bytes_max = 0;
  uint32_t compile_children_max = 0;
  uint32_t queued_compiles_max = 0;
  uint32_t queued_compiles_per_session_max = 0;
  uint64_t image_size_bytes_max = 0;
  uint32_t directory_entries_max = 0;
  uint64_t code_memory_bytes_max = 0;
  uint64_t slab_size_bytes = 0;
  uint32_t nesting_max = 0;
  uint32_t sessions_max = 0;
  uint64_t stored_source_bytes_max = 0;
  uint64_t stored_image_bytes_max = 0;

  std::string disk_path;  // Empty: no disk.
  uint64_t disk_size_bytes_max = 0;
  absl::Duration disk_read_timeout;
  uint32_t disk_queued_reads_max = 0;
  uint32_t disk_queued_writes_max = 0;
  uint64_t disk_queued_write_bytes_max = 0;

  uint32_t rings_per_session_max = 0;
  uint32_t ring_slots_max = 0;
  uint32_t buffers_per_session_max = 0;
  uint64_t buffer_bytes_per_session_max = 0;
  uint32_t served_kernels_per_session_max = 0;
  absl::Duration launch_timeout;
  uint64_t executor_memory_bytes_max = 0;
  uint64_t inline_launch_bytes_max = 0;

  std::string worker_path;
  bool sandbox_required = true;
  uint32_t crashes_max = 0;
  absl::Duration crash_refusal;
  uint32_t crashes_per_zygote_max = 0;

  std::string executor_path;
  bool executor_sandbox_required = true;
  uint32_t executor_threads = 0;  // 0: as many as there are CPUs.
  uint32_t metrics_port = 0;      // 0: none.
  std::string reproducers_path;   // Empty: none are saved.
  uint32_t reproducers_max = 0;
  uint64_t reproducer_size_bytes_max = 0;
  uint32_t watchers_max = 0;

  AccessList access;
  LogLevel log_level = LogLevel::kInfo;
  absl::Duration drain_timeout;
  absl::Duration idle_timeout = absl::InfiniteDuration();
};

// What a configuration's defaults depend on.
struct ConfigContext {
  std::string program_folder;  // Where the daemon's own program lies.
  uint32_t user_id = 0;        // Of the daemon.
  // Finds a group of this machine's by its name. NotFound: it has none.
  absl::StatusOr<uint32_t> (*find_group)(const std::string& name) = FindGroup;
};

// Reads `text`, a DaemonConfig in text format.
//
// InvalidArgument: not in that format, with line and column; or a value is
//   missing or out of its range, with the field's name.
absl::StatusOr<Config> ParseConfig(const std::string& text,
                                   const ConfigContext& context);

// Reads the file at `path`.
//
// NotFound, PermissionDenied: it cannot be read.
// InvalidArgument: as ParseConfig, or it is larger than 1 MiB.
absl::StatusOr<Config> LoadConfig(const std::string& path,
                                  const ConfigContext& context);

}  // namespace quern

#endif  // QUERN_SERVER_APP_CONFIG_H_
