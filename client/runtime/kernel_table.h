// The kernels that this process has mapped, by key.
//
// Thread-safe. A key's second look-up is a read of a hash table: no system
// call and no RPC.
#ifndef QUERN_CLIENT_RUNTIME_KERNEL_TABLE_H_
#define QUERN_CLIENT_RUNTIME_KERNEL_TABLE_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "client/runtime/attach_client.h"
#include "client/runtime/loaded_kernel.h"
#include "proto/wire/compile_spec.h"
#include "proto/wire/kernel_key.h"

namespace quern {

using KernelRef = std::shared_ptr<const LoadedKernel>;

// What a client needs to form the keys of its own host's kernels.
struct HostCompiler {
  BuildId build_id;
  TargetSpec target;
};

class KernelTable final {
 public:
  // `daemon` must outlive the table, but not the kernels.
  explicit KernelTable(AttachClient& daemon) : daemon_(daemon) {}

  // Returns the kernel if this process has mapped it already, else null.
  KernelRef Find(const KernelKey& key) const;

  // Returns the kernel, mapping it if the directory has it.
  //
  // NotFound: the directory does not have it (ask by RPC).
  // Others: as for AttachClient::GetSlab and LoadKernel.
  absl::StatusOr<KernelRef> Load(const KernelKey& key);

  // Returns the kernel that the daemon says is at `place`.
  absl::StatusOr<KernelRef> LoadAt(const KernelKey& key, ImagePlace place);

  // Forgets the kernels of slabs that the daemon has retired. Who holds one
  // goes on holding it.
  void DropRetired();

  // Takes over the kernels of `other`, a table of an earlier daemon.
  void Adopt(const KernelTable& other);

  // The compiler behind the directory; null until the daemon knows it.
  std::shared_ptr<const HostCompiler> Compiler();

 private:
  absl::StatusOr<std::shared_ptr<const SharedRegion>> Slab(uint32_t id);

  AttachClient& daemon_;
  mutable std::shared_mutex mutex_;
  absl::flat_hash_map<KernelKey, KernelRef> kernels_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<uint32_t, std::shared_ptr<const SharedRegion>> slabs_
      ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const HostCompiler> compiler_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace quern

#endif  // QUERN_CLIENT_RUNTIME_KERNEL_TABLE_H_
