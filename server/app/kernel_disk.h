// The daemon's disk, put together: the folder, the store, its threads.
#ifndef QUERN_SERVER_APP_KERNEL_DISK_H_
#define QUERN_SERVER_APP_KERNEL_DISK_H_

#include <cstdint>
#include <memory>

#include "absl/time/time.h"
#include "quern/v1/admin_service.pb.h"
#include "server/app/config.h"
#include "server/core/clock.h"
#include "server/core/kernel_archive.h"
#include "server/core/logger.h"

namespace quern {

// Thread-safe.
class KernelDisk {
 public:
  virtual ~KernelDisk() = default;

  virtual KernelArchive& archive() = 0;

  // Writes what is queued, for at most `timeout`; then takes no more.
  virtual void Drain(absl::Duration timeout) = 0;

  // Ends the threads that read. Every question of the archive's has been
  // answered then, and is answered at once from then on.
  virtual void Stop() = 0;

  // Adds what there is to say of the disk.
  virtual void AddStats(v1::GetStatsResponse& response) = 0;
};

// Opens the disk that `config` names. If it names none, or one that cannot be
// used, the result works and keeps nothing; a warning and the statistics say
// why. `writer` is a number that no other daemon has. `clock` and `logger` must
// outlive the result.
std::unique_ptr<KernelDisk> OpenKernelDisk(const Config& config,
                                           uint64_t writer, Clock& clock,
                                           Logger& logger);

}  // namespace quern

#endif  // QUERN_SERVER_APP_KERNEL_DISK_H_
