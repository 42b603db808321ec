// Gathering statistics.
#include "server/app/daemon_stats.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>

#include "absl/strings/str_cat.h"
#include "proto/wire/ring_layout.h"
#include "proto/wire/unique_fd.h"
#include "server/app/version.h"
#include "server/core/canonical_spec.h"
#include "server/rpc/conversions.h"

namespace quern {
namespace {

// The resident bytes of this process; 0 if the kernel does not tell.
uint64_t ResidentBytes() {
  const UniqueFd statm(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  char text[128] = {};
  if (!statm.valid() || ::read(statm.get(), text, sizeof(text) - 1) <= 0) {
    return 0;
  }
  char* end = nullptr;
  std::strtoull(text, &end, 10);  // The size comes first.
  return std::strtoull(end, nullptr, 10) *
         static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

void AddService(KernelService& kernels, v1::GetStatsResponse& response) {
  const KernelServiceStats stats = kernels.GetStats();
  response.set_compiles(stats.compiles);
  response.set_hits(stats.hits);
  response.set_misses(stats.misses);
  response.set_joined(stats.joined);
  response.set_failures(stats.failures);
  response.set_compiles_queued(stats.dispatcher.queued);
  response.set_compiles_running(stats.dispatcher.running);
  response.mutable_children_dead()->set_protocol_error(stats.images_rejected);
}

void AddPool(CompilerPool& pool, v1::GetStatsResponse& response) {
  const CompilerPoolStats stats = pool.GetStats();
  response.set_children_forked(stats.children_forked);
  response.set_zygote_restarts(stats.zygote_restarts);
  v1::ChildDeaths& dead = *response.mutable_children_dead();
  dead.set_crashed(stats.children_dead.crashed);
  dead.set_out_of_memory(stats.children_dead.out_of_memory);
  dead.set_stack_overflow(stats.children_dead.stack_overflow);
  dead.set_timed_out(stats.children_dead.timed_out);
  dead.set_denied_syscall(stats.children_dead.denied_syscall);
  dead.set_killed(stats.children_dead.killed);
  dead.set_protocol_error(dead.protocol_error() +
                          stats.children_dead.protocol_error);
  for (const std::string& layer : stats.sandbox_missing) {
    response.add_sandbox_missing(layer);
  }
}

void AddCache(CodeCache& cache, v1::GetStatsResponse& response) {
  const CodeCacheStats stats = cache.GetStats();
  response.set_kernels(stats.kernels);
  response.set_evictions(stats.evictions);
  response.set_slabs(stats.slabs.live + stats.slabs.retired);
  response.set_code_size_bytes(stats.slabs.size_bytes);
  response.mutable_memory()->set_live_slabs(stats.slabs.live);
  response.mutable_memory()->set_retired_slabs(stats.slabs.retired);
  response.mutable_memory()->set_slab_size_bytes(stats.slabs.size_bytes);
}

void AddLauncher(InlineLauncher& launcher, v1::GetStatsResponse& response) {
  const InlineLauncherStats stats = launcher.GetStats();
  v1::InlineLaunchStats& proto = *response.mutable_inline_launches();
  proto.set_launches(stats.launches);
  proto.set_failures(stats.failures);
  proto.set_queued(stats.queued);
}

void AddExecutors(const ServedCounters& counters,
                  v1::GetStatsResponse& response) {
  v1::ExecutorStats& stats = *response.mutable_executors();
  const auto ended = [&counters](quern_ring_state cause) {
    return counters.ended[cause].load(std::memory_order_relaxed);
  };
  stats.set_started(counters.started.load(std::memory_order_relaxed));
  stats.set_running(counters.running.load(std::memory_order_relaxed));
  stats.set_crashed(ended(QUERN_RING_CRASHED));
  stats.set_out_of_memory(ended(QUERN_RING_OUT_OF_MEMORY));
  stats.set_timed_out(ended(QUERN_RING_TIMED_OUT));
  stats.set_denied_syscall(ended(QUERN_RING_FORBIDDEN_CALL));
  stats.set_killed(ended(QUERN_RING_KILLED));
  stats.set_not_confined(ended(QUERN_RING_NOT_CONFINED));
  stats.set_unresponsive(ended(QUERN_RING_UNRESPONSIVE));
}

}  // namespace

std::string_view ExecutorEndName(uint32_t state) {
  switch (state) {
    case QUERN_RING_KILLED:
      return "killed";
    case QUERN_RING_OUT_OF_MEMORY:
      return "out_of_memory";
    case QUERN_RING_TIMED_OUT:
      return "timed_out";
    case QUERN_RING_FORBIDDEN_CALL:
      return "denied_syscall";
    case QUERN_RING_NOT_CONFINED:
      return "not_confined";
    case QUERN_RING_UNRESPONSIVE:
      return "unresponsive";
    default:
      return "crashed";
  }
}

v1::GetStatsResponse DaemonStats(const StatsSources& sources) {
  v1::GetStatsResponse response;
  AddService(sources.kernels, response);
  AddPool(sources.pool, response);
  AddCache(sources.cache, response);
  response.mutable_memory()->set_stored_source_size_bytes(
      sources.sources.size_bytes());
  sources.diagnostics.AddStats(response);
  sources.disk.AddStats(response);
  AddExecutors(sources.sessions.served(), response);
  AddLauncher(sources.launcher, response);
  response.set_sessions(sources.sessions.session_count());
  *response.mutable_uptime() = ToProto(sources.uptime);
  response.set_incarnation(sources.incarnation);
  if (const std::optional<CompilerIdentity> identity =
          sources.gate.identity()) {
    response.set_build_id(identity->build_id.data(), identity->build_id.size());
    response.set_target(TargetText(identity->host));
  }
  response.set_resident_size_bytes(ResidentBytes());
  response.set_version(kVersion);
  return response;
}

std::string StatsSummary(const v1::GetStatsResponse& stats) {
  std::string line = absl::StrCat(
      stats.kernels(), " kernels in ", stats.code_size_bytes() >> 20, " MiB, ",
      stats.sessions(), " sessions, ", stats.compiles_running(),
      " compiles running, ", stats.compiles_queued(), " queued");
  if (stats.target().empty()) absl::StrAppend(&line, "; no compiler");
  return line;
}

}  // namespace quern
