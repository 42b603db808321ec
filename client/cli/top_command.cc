// top: what the daemon does now, again and again.
#include <unistd.h>

#include <cstdio>
#include <limits>
#include <string>

#include "absl/strings/str_format.h"
#include "client/cli/commands.h"
#include "client/cli/durations.h"
#include "client/cli/json.h"
#include "client/cli/latency_stats.h"
#include "client/cli/session.h"
#include "client/rpc/pause.h"
#include "proto/wire/status.h"
#include "quern/v1/admin_service.pb.h"

namespace quern {
namespace {

// Puts the cursor into the first place and clears what is below it.
constexpr char kClearScreen[] = "\x1b[H\x1b[J";

double MiB(uint64_t size_bytes) {
  return static_cast<double>(size_bytes) / (1 << 20);
}

// Two looks at the same daemon.
struct Interval {
  const v1::GetStatsResponse& before;
  const v1::GetStatsResponse& now;

  // How much `count` grew in a second. After a restart, since that.
  double Rate(uint64_t (v1::GetStatsResponse::*count)() const) const {
    const bool same = before.incarnation() == now.incarnation();
    const double elapsed =
        Seconds(now.uptime()) - (same ? Seconds(before.uptime()) : 0);
    const uint64_t grown = (now.*count)() - (same ? (before.*count)() : 0);
    return elapsed > 0 ? static_cast<double>(grown) / elapsed : 0;
  }
};

std::string Screen(const Interval& interval) {
  const v1::GetStatsResponse& now = interval.now;
  using Stats = v1::GetStatsResponse;
  return absl::StrFormat(
             "quernd %s, up %.0f s, %s\n"
             "per second: %.1f hits, %.1f misses, %.1f compiles, %.1f "
             "failures\n"
             "now: %d sessions, %d compiles queued, %d running\n"
             "kernels: %d in %d slabs and %d retired, %.1f MiB; daemon %.1f "
             "MiB\n"
             "children: %d forked, zygote restarts: %d; executors: %d\n\n",
             now.version(), Seconds(now.uptime()), now.target(),
             interval.Rate(&Stats::hits), interval.Rate(&Stats::misses),
             interval.Rate(&Stats::compiles), interval.Rate(&Stats::failures),
             now.sessions(), now.compiles_queued(), now.compiles_running(),
             now.kernels(), now.memory().live_slabs(),
             now.memory().retired_slabs(), MiB(now.memory().slab_size_bytes()),
             MiB(now.resident_size_bytes()), now.children_forked(),
             now.zygote_restarts(), now.executors().running()) +
         LatencyStatsText(now.latencies());
}

JsonObject JsonOf(const Interval& interval) {
  const v1::GetStatsResponse& now = interval.now;
  using Stats = v1::GetStatsResponse;
  return JsonObject()
      .Add("hits_per_s", interval.Rate(&Stats::hits))
      .Add("misses_per_s", interval.Rate(&Stats::misses))
      .Add("compiles_per_s", interval.Rate(&Stats::compiles))
      .Add("failures_per_s", interval.Rate(&Stats::failures))
      .Add("sessions", now.sessions())
      .Add("compiles_queued", now.compiles_queued())
      .Add("compiles_running", now.compiles_running())
      .Add("kernels", now.kernels())
      .Add("resident_size_bytes", now.resident_size_bytes())
      .Add("uptime_s", Seconds(now.uptime()));
}

}  // namespace

absl::Status RunTop(const Words& words) {
  QUERN_ASSIGN_OR_RETURN(
      const Arguments arguments,
      Arguments::Parse(words, {.options = {"interval", "count"}}));
  QUERN_ASSIGN_OR_RETURN(const uint32_t interval_s,
                         arguments.GetCount("interval", 1));
  QUERN_ASSIGN_OR_RETURN(
      const uint32_t count,
      arguments.GetCount("count", std::numeric_limits<uint32_t>::max()));
  QUERN_ASSIGN_OR_RETURN(const auto client,
                         ConnectFor(arguments, Start::kNever));
  const bool clear = ::isatty(STDOUT_FILENO) != 0 && !arguments.Has("json");
  v1::GetStatsResponse before;
  for (uint32_t i = 0; i < count; ++i) {
    if (i != 0) Pause(absl::Seconds(interval_s));
    v1::GetStatsResponse now;
    QUERN_RETURN_IF_ERROR(client->Call("quern.v1.AdminService/GetStats",
                                       v1::GetStatsRequest(), kCallTimeout,
                                       now));
    const Interval interval{.before = i == 0 ? now : before, .now = now};
    if (arguments.Has("json")) {
      PrintLine(JsonOf(interval).ToString());
    } else {
      PrintLine((clear ? kClearScreen : "") + Screen(interval));
    }
    if (std::ferror(stdout) != 0) break;  // Nobody can read on.
    before = now;
  }
  return absl::OkStatus();
}

}  // namespace quern
