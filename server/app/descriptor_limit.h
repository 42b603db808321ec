// How many descriptors the daemon may have open.
#ifndef QUERN_SERVER_APP_DESCRIPTOR_LIMIT_H_
#define QUERN_SERVER_APP_DESCRIPTOR_LIMIT_H_

#include <cstdint>

namespace quern {

// What a daemon for `sessions_max` sessions opens at most, about: a socket and
// a process for each, its RPC connections, its executor and its `buffers_max`
// buffers, and what the daemon itself has.
uint64_t DescriptorsFor(uint32_t sessions_max, uint32_t buffers_max);

// Lets this process open `wanted` descriptors, or as many as the system lets
// it. Returns how many it may open now.
uint64_t RaiseDescriptorLimit(uint64_t wanted);

}  // namespace quern

#endif  // QUERN_SERVER_APP_DESCRIPTOR_LIMIT_H_
