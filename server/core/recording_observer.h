// Turns what the kernel service tells into histograms, events and reproducers.
#ifndef QUERN_SERVER_CORE_RECORDING_OBSERVER_H_
#define QUERN_SERVER_CORE_RECORDING_OBSERVER_H_

#include <memory>

#include "server/core/event_feed.h"
#include "server/core/kernel_observer.h"
#include "server/core/latency_histogram.h"
#include "server/core/reproducer_writer.h"

namespace quern {

struct KernelLatencies {
  LatencyHistogram hit;      // Compile calls that a cache answered.
  LatencyHistogram miss;     // Those that had to wait for a compile.
  LatencyHistogram queue;    // Compiles, before a child took them.
  LatencyHistogram compile;  // Compiles, in the child.
};

// The references must outlive the result.
std::unique_ptr<KernelObserver> NewRecordingObserver(
    KernelLatencies& latencies, EventFeed& events,
    ReproducerWriter& reproducers);

}  // namespace quern

#endif  // QUERN_SERVER_CORE_RECORDING_OBSERVER_H_
