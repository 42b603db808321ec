// Where kernels outlive the daemon: the disk, as the steps of a compile see it.
// No method waits for the disk, however slow it is.
#ifndef QUERN_SERVER_CORE_KERNEL_ARCHIVE_H_
#define QUERN_SERVER_CORE_KERNEL_ARCHIVE_H_

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cache/image_store.h"
#include "proto/wire/kernel_key.h"
#include "server/core/patient_threads.h"

namespace quern {

// Thread-safe. Every callback is called exactly once, from any thread, also
// before the method returns, with no lock held.
class KernelArchive {
 public:
  using Found = std::function<void(absl::StatusOr<Image>)>;
  using SourceFound = std::function<void(absl::StatusOr<SourceSpec>)>;
  using Removed = std::function<void(const absl::Status&)>;

  virtual ~KernelArchive() = default;

  // Looks for the image of `key`. What is found VerifyImage has accepted as
  // the image of `key`.
  //
  // NotFound: it is not here.
  // Unavailable: the archive does not answer in time; go on without it.
  virtual void Find(const KernelKey& key, Found found) = 0;

  // Looks for the spec that the kernel of `key` was compiled from. Errors are
  // those of Find.
  virtual void FindSource(const KernelKey& key, SourceFound found) = 0;

  // Keeps a kernel, some time later, or drops it if the disk cannot follow.
  virtual void Keep(const KernelKey& key, Image image, SourceSpec source) = 0;

  // Removes the kernel of `key`.
  //
  // NotFound: it is not here.
  // Any other: it may still be.
  virtual void Remove(const KernelKey& key, Removed removed) = 0;
};

// An archive over `store`, which may block; `threads` bears that, but for Put
// and Touch, which answer at once. Both must outlive the result, and `threads`
// must end first.
std::unique_ptr<KernelArchive> NewStoreArchive(ImageStore& store,
                                               PatientThreads& threads);

// An archive that holds nothing and keeps nothing.
std::unique_ptr<KernelArchive> NewEmptyArchive();

}  // namespace quern

#endif  // QUERN_SERVER_CORE_KERNEL_ARCHIVE_H_
