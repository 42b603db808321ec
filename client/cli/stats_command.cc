// stats: what the daemon counted.
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "client/cli/commands.h"
#include "client/cli/disk_stats.h"
#include "client/cli/durations.h"
#include "client/cli/json.h"
#include "client/cli/latency_stats.h"
#include "client/cli/session.h"
#include "proto/wire/status.h"
#include "quern/v1/admin_service.pb.h"

namespace quern {
namespace {

JsonObject JsonOf(const v1::MemoryStats& memory) {
  return JsonObject()
      .Add("live_slabs", memory.live_slabs())
      .Add("retired_slabs", memory.retired_slabs())
      .Add("slab_size_bytes", memory.slab_size_bytes())
      .Add("stored_source_size_bytes", memory.stored_source_size_bytes());
}

JsonObject JsonOf(const v1::ExecutorStats& executors) {
  return JsonObject()
      .Add("started", executors.started())
      .Add("running", executors.running())
      .Add("crashed", executors.crashed())
      .Add("out_of_memory", executors.out_of_memory())
      .Add("timed_out", executors.timed_out())
      .Add("denied_syscall", executors.denied_syscall())
      .Add("killed", executors.killed())
      .Add("not_confined", executors.not_confined())
      .Add("unresponsive", executors.unresponsive());
}

JsonObject JsonOf(const v1::InlineLaunchStats& stats) {
  return JsonObject()
      .Add("launches", stats.launches())
      .Add("failures", stats.failures())
      .Add("queued", stats.queued());
}

JsonObject JsonOf(const v1::GetStatsResponse& stats) {
  const v1::ChildDeaths& dead = stats.children_dead();
  JsonObject deaths;
  deaths.Add("crashed", dead.crashed())
      .Add("out_of_memory", dead.out_of_memory())
      .Add("stack_overflow", dead.stack_overflow())
      .Add("timed_out", dead.timed_out())
      .Add("denied_syscall", dead.denied_syscall())
      .Add("killed", dead.killed())
      .Add("protocol_error", dead.protocol_error());
  JsonObject json;
  json.Add("compiles", stats.compiles())
      .Add("hits", stats.hits())
      .Add("misses", stats.misses())
      .Add("joined", stats.joined())
      .Add("failures", stats.failures())
      .Add("evictions", stats.evictions())
      .Add("children_forked", stats.children_forked())
      .Add("children_dead", deaths)
      .Add("zygote_restarts", stats.zygote_restarts())
      .Add("executors", JsonOf(stats.executors()))
      .Add("inline_launches", JsonOf(stats.inline_launches()))
      .Add("kernels", stats.kernels())
      .Add("slabs", stats.slabs())
      .Add("code_size_bytes", stats.code_size_bytes())
      .Add("sessions", stats.sessions())
      .Add("compiles_queued", stats.compiles_queued())
      .Add("compiles_running", stats.compiles_running())
      .Add("resident_size_bytes", stats.resident_size_bytes())
      .Add("uptime_s", Seconds(stats.uptime()))
      .Add("incarnation", stats.incarnation())
      .Add("build_id", absl::BytesToHexString(stats.build_id()))
      .Add("target", stats.target())
      .Add("latencies", LatencyStatsJson(stats.latencies()))
      .Add("memory", JsonOf(stats.memory()))
      .Add("sandbox_missing",
           std::vector<std::string>(stats.sandbox_missing().begin(),
                                    stats.sandbox_missing().end()))
      .Add("version", stats.version());
  if (stats.has_disk()) json.Add("disk", DiskStatsJson(stats.disk()));
  return json;
}

void PrintStats(const v1::GetStatsResponse& stats) {
  const v1::ChildDeaths& dead = stats.children_dead();
  PrintLine(absl::StrFormat(
      "quernd %s, up %.0f s, %.1f MiB resident\n"
      "target    %s\n"
      "compiles  %d made, %d hits, %d misses (%d shared one), %d failures\n"
      "now       %d queued, %d running, %d sessions\n"
      "kernels   %d in %d slabs, %d bytes; %d evicted\n"
      "children  %d forked; dead: %d crashed, %d out of memory, %d stack "
      "overflow,\n          %d timed out, %d denied system call, %d killed, "
      "%d bad results\n"
      "zygote    %d restarts",
      stats.version(), Seconds(stats.uptime()),
      static_cast<double>(stats.resident_size_bytes()) / (1 << 20),
      stats.target(), stats.compiles(), stats.hits(), stats.misses(),
      stats.joined(), stats.failures(), stats.compiles_queued(),
      stats.compiles_running(), stats.sessions(), stats.kernels(),
      stats.slabs(), stats.code_size_bytes(), stats.evictions(),
      stats.children_forked(), dead.crashed(), dead.out_of_memory(),
      dead.stack_overflow(), dead.timed_out(), dead.denied_syscall(),
      dead.killed(), dead.protocol_error(), stats.zygote_restarts()));
  PrintLine(DiskStatsText(stats));
  PrintLine(LatencyStatsText(stats.latencies()));
  const v1::ExecutorStats& executors = stats.executors();
  PrintLine(absl::StrFormat(
      "executors %d running, %d started; dead: %d crashed, %d out of memory, "
      "%d timed\n          out, %d denied system call, %d killed, %d not "
      "confined, %d unresponsive\n"
      "inline    %d launches, %d failures, %d queued",
      executors.running(), executors.started(), executors.crashed(),
      executors.out_of_memory(), executors.timed_out(),
      executors.denied_syscall(), executors.killed(), executors.not_confined(),
      executors.unresponsive(), stats.inline_launches().launches(),
      stats.inline_launches().failures(), stats.inline_launches().queued()));
}

}  // namespace

absl::Status RunStats(const Words& words) {
  QUERN_ASSIGN_OR_RETURN(const Arguments arguments,
                         Arguments::Parse(words, {}));
  QUERN_ASSIGN_OR_RETURN(const auto client,
                         ConnectFor(arguments, Start::kNever));
  v1::GetStatsResponse stats;
  QUERN_RETURN_IF_ERROR(client->Call("quern.v1.AdminService/GetStats",
                                     v1::GetStatsRequest(), kCallTimeout,
                                     stats));
  if (arguments.Has("json")) {
    PrintLine(JsonOf(stats).ToString());
  } else {
    PrintStats(stats);
  }
  return absl::OkStatus();
}

}  // namespace quern
