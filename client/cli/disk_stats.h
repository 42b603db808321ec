// What the daemon counted of its disk, for people and for programs.
#ifndef QUERN_CLIENT_CLI_DISK_STATS_H_
#define QUERN_CLIENT_CLI_DISK_STATS_H_

#include <string>

#include "client/cli/json.h"
#include "quern/v1/admin_service.pb.h"

namespace quern {

JsonObject DiskStatsJson(const v1::DiskStats& disk);

// Lines without a line break at the end. Without a disk: one that says so.
std::string DiskStatsText(const v1::GetStatsResponse& stats);

}  // namespace quern

#endif  // QUERN_CLIENT_CLI_DISK_STATS_H_
