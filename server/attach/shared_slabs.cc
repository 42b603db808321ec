// Opening a slab once.
#include "server/attach/shared_slabs.h"

#include <utility>

#include "proto/wire/status.h"

namespace quern {

absl::StatusOr<std::shared_ptr<const SlabDescriptor>> SharedSlabs::Open(
    uint32_t slab) {
  if (const auto found = open_.find(slab); found != open_.end()) {
    if (auto descriptor = found->second.lock()) return descriptor;
  }
  QUERN_ASSIGN_OR_RETURN(SlabDescriptor opened, slabs_.Open(slab));
  auto descriptor = std::make_shared<const SlabDescriptor>(std::move(opened));
  std::erase_if(open_,
                [](const auto& entry) { return entry.second.expired(); });
  open_[slab] = descriptor;
  return descriptor;
}

}  // namespace quern
