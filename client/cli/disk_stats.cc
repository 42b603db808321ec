// Showing the statistics of the disk.
#include "client/cli/disk_stats.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace quern {

JsonObject DiskStatsJson(const v1::DiskStats& disk) {
  JsonObject json;
  json.Add("path", disk.path())
      .Add("problem", disk.problem())
      .Add("hits", disk.hits())
      .Add("misses", disk.misses())
      .Add("late_reads", disk.late_reads())
      .Add("read_failures", disk.read_failures())
      .Add("bad_entries_removed", disk.bad_entries_removed())
      .Add("writes", disk.writes())
      .Add("write_failures", disk.write_failures())
      .Add("dropped_writes", disk.dropped_writes())
      .Add("evictions", disk.evictions())
      .Add("entries", disk.entries())
      .Add("size_bytes", disk.size_bytes());
  return json;
}

std::string DiskStatsText(const v1::GetStatsResponse& stats) {
  if (!stats.has_disk()) return "disk      none";
  const v1::DiskStats& disk = stats.disk();
  std::string text = absl::StrFormat(
      "disk      %d kernels, %d bytes; %d hits, %d misses, %d late, %d failed, "
      "%d bad\n"
      "          %d written, %d failed, %d dropped; %d evicted",
      disk.entries(), disk.size_bytes(), disk.hits(), disk.misses(),
      disk.late_reads(), disk.read_failures(), disk.bad_entries_removed(),
      disk.writes(), disk.write_failures(), disk.dropped_writes(),
      disk.evictions());
  if (!disk.problem().empty()) {
    absl::StrAppend(&text, "\n          not in order: ", disk.problem());
  }
  return text;
}

}  // namespace quern
