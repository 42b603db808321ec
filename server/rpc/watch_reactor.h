// A stream of events to one watcher.
#ifndef QUERN_SERVER_RPC_WATCH_REACTOR_H_
#define QUERN_SERVER_RPC_WATCH_REACTOR_H_

#include <grpcpp/grpcpp.h>

#include "quern/v1/admin_service.pb.h"
#include "server/core/event_feed.h"

namespace quern {

// How many events wait for a slow reader; later ones are lost to it.
inline constexpr size_t kWaitingEventsMax = 1024;

// Makes a stream that begins at once, and owns itself: it goes when gRPC is
// done with the call. `events` must outlive the server.
grpc::ServerWriteReactor<v1::WatchEventsResponse>* NewWatchReactor(
    EventFeed& events);

}  // namespace quern

#endif  // QUERN_SERVER_RPC_WATCH_REACTOR_H_
