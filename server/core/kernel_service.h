// The daemon's work: the life of a compile, from a spec to a kernel that every
// attached process finds.
//
// The order of the steps: canonicalise and resolve the target, form the key,
// look it up, join or begin a flight, look on the disk, wait for admission,
// compile in a confined process, check the image, keep and publish it, reply.
#ifndef QUERN_SERVER_CORE_KERNEL_SERVICE_H_
#define QUERN_SERVER_CORE_KERNEL_SERVICE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "compiler/api/compiler.h"
#include "server/core/clock.h"
#include "server/core/compiled_kernel.h"
#include "server/core/compiler_gate.h"
#include "server/core/compiler_pool.h"
#include "server/core/crash_ledger.h"
#include "server/core/dispatcher.h"
#include "server/core/kernel_archive.h"
#include "server/core/kernel_observer.h"
#include "server/core/kernel_shelf.h"
#include "server/core/session.h"
#include "server/core/single_flight.h"
#include "server/core/source_store.h"

namespace quern {

// Who asks, and until when.
struct CallContext {
  // From NewCall. Names the call for Cancel.
  uint64_t call = 0;
  SessionId session;
  absl::Time deadline = absl::InfiniteFuture();
};

struct KernelServiceStats {
  uint64_t compiles = 0;
  uint64_t hits = 0;    // Calls answered from memory.
  uint64_t misses = 0;  // Calls that were not.
  uint64_t joined = 0;  // Of the misses, those that shared a flight.
  uint64_t failures = 0;
  uint64_t images_rejected = 0;  // That the compiler made and a check refused.
  DispatcherStats dispatcher;
};

// Thread-safe. Every `done` is called exactly once, from any thread, also
// before the method returns.
class KernelService {
 public:
  using SourceDone = std::function<void(absl::StatusOr<SourceSpec>)>;
  using EvictDone = std::function<void(const absl::Status&)>;

  virtual ~KernelService() = default;

  // A number for CallContext::call; never given twice.
  virtual uint64_t NewCall() = 0;

  // Gives the kernel of `spec`. The errors are those that
  // quern.v1.KernelService.Compile lists, and Cancelled. A caller whose
  // deadline has passed cancels; the deadline given here bounds the compile.
  virtual void Compile(const CallContext& context, CompileSpec spec,
                       CompileDone done) = 0;

  // Compiles a kernel again, to see its plan, LLVM IR or assembly.
  //
  // NotFound: it is not kept, or its source is no longer.
  virtual void View(const CallContext& context, const KernelKey& key,
                    CompileOutput output, CompileDone done) = 0;

  // Ends a call with Cancelled, if it has not ended yet.
  virtual void Cancel(uint64_t call) = 0;

  // Gives the kernel of `key` from memory, or brings it back from the disk.
  //
  // NotFound: neither holds it.
  // Unavailable: the disk does not answer in time, or Drain was called.
  // ResourceExhausted: code memory has no room for it.
  virtual void Lookup(const CallContext& context, const KernelKey& key,
                      CompileDone done) = 0;

  // Gives the spec that a kernel was compiled from, from memory or disk.
  //
  // NotFound: it is not kept, or not any more.
  // Unavailable: the disk does not answer in time.
  virtual void Source(const KernelKey& key, SourceDone done) = 0;

  // Removes a kernel from memory and disk.
  //
  // NotFound: neither holds it.
  // Any other: the disk fails, and may still hold it.
  virtual void Evict(const KernelKey& key, EvictDone done) = 0;

  // From now on every Compile and View, and every Lookup of what is not in
  // memory, ends with Unavailable at once.
  virtual void Drain() = 0;

  virtual KernelServiceStats GetStats() = 0;
};

// The steps; each must outlive the service.
struct KernelServiceSteps {
  CompilerGate& gate;
  KernelShelf& shelf;
  CrashLedger& ledger;
  SingleFlight& flights;
  KernelArchive& archive;
  Dispatcher& dispatcher;
  SourceStore& sources;
  KernelObserver& observer;
  Clock& clock;
};

std::unique_ptr<KernelService> NewKernelService(
    const KernelServiceSteps& steps);

}  // namespace quern

#endif  // QUERN_SERVER_CORE_KERNEL_SERVICE_H_
