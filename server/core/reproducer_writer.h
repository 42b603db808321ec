// Saves reproducers aside, on a thread of its own: a slow disk holds up nothing
// but itself.
#ifndef QUERN_SERVER_CORE_REPRODUCER_WRITER_H_
#define QUERN_SERVER_CORE_REPRODUCER_WRITER_H_

#include <memory>

#include "absl/status/status.h"
#include "proto/wire/compile_spec.h"
#include "proto/wire/kernel_key.h"
#include "server/core/event_feed.h"
#include "server/core/reproducer_store.h"

namespace quern {

// Thread-safe. Its end waits for the file that is being written.
class ReproducerWriter {
 public:
  virtual ~ReproducerWriter() = default;

  // Has the source saved, and the event of that published, soon. Nothing comes
  // of it while another one waits: who crashes the compiler again and again
  // gives no more than the disk takes.
  virtual void Offer(const KernelKey& key, const CompileSpec& spec,
                     const absl::Status& status) = 0;
};

// `events` must outlive the result.
std::unique_ptr<ReproducerWriter> NewReproducerWriter(
    std::unique_ptr<ReproducerStore> store, EventFeed& events);

}  // namespace quern

#endif  // QUERN_SERVER_CORE_REPRODUCER_WRITER_H_
