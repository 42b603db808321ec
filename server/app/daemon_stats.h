// The daemon's statistics, gathered from its parts.
#ifndef QUERN_SERVER_APP_DAEMON_STATS_H_
#define QUERN_SERVER_APP_DAEMON_STATS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "cache/code_cache.h"
#include "quern/v1/admin_service.pb.h"
#include "server/app/diagnostics.h"
#include "server/app/kernel_disk.h"
#include "server/attach/attach_server.h"
#include "server/core/compiler_gate.h"
#include "server/core/compiler_pool.h"
#include "server/core/inline_launcher.h"
#include "server/core/kernel_service.h"
#include "server/core/source_store.h"

namespace quern {

struct StatsSources {
  KernelService& kernels;
  CodeCache& cache;
  CompilerPool& pool;
  CompilerGate& gate;
  AttachServer& sessions;
  KernelDisk& disk;
  SourceStore& sources;
  Diagnostics& diagnostics;
  InlineLauncher& launcher;
  uint64_t incarnation = 0;
  absl::Duration uptime;
};

// The field of ExecutorStats that counts ends with `state`, a quern_ring_state.
std::string_view ExecutorEndName(uint32_t state);

v1::GetStatsResponse DaemonStats(const StatsSources& sources);

// The same in one line, for the service manager's status.
std::string StatsSummary(const v1::GetStatsResponse& stats);

}  // namespace quern

#endif  // QUERN_SERVER_APP_DAEMON_STATS_H_
