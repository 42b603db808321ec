// Raising the soft limit on descriptors, which is low for programs that wait
// with select; the daemon does not.
#include "server/app/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>

#include "server/rpc/peers.h"

namespace quern {
namespace {

// Slabs, for all sessions together, processes of the compiler, and what gRPC
// holds.
constexpr uint64_t kOwn = 1024;

// The attach socket, and the process behind it.
constexpr uint64_t kAttachPerSession = 2;

// The executor's control socket, and the process behind it.
constexpr uint64_t kExecutorPerSession = 2;

}  // namespace

uint64_t DescriptorsFor(uint32_t sessions_max, uint32_t buffers_max) {
  return kOwn + (kAttachPerSession + kExecutorPerSession +
                 kConnectionsPerSession + buffers_max) *
                    uint64_t{sessions_max};
}

uint64_t RaiseDescriptorLimit(uint64_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur >= wanted) return limit.rlim_cur;
  const rlim_t old = limit.rlim_cur;
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : old;
}

}  // namespace quern
