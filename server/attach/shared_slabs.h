// Descriptors of code slabs, one each, however many sessions hold it: so they
// are bounded by the code memory, and not by the sessions too.
#ifndef QUERN_SERVER_ATTACH_SHARED_SLABS_H_
#define QUERN_SERVER_ATTACH_SHARED_SLABS_H_

#include <cstdint>
#include <map>
#include <memory>

#include "absl/status/statusor.h"
#include "cache/code_slabs.h"

namespace quern {

// Not thread-safe.
class SharedSlabs final {
 public:
  // `slabs` must outlive it.
  explicit SharedSlabs(CodeSlabs& slabs) : slabs_(slabs) {}

  // The descriptor of `slab`, closed when the last who has it lets go.
  //
  // Errors: those of CodeSlabs::Open, unless somebody has it.
  absl::StatusOr<std::shared_ptr<const SlabDescriptor>> Open(uint32_t slab);

 private:
  CodeSlabs& slabs_;
  std::map<uint32_t, std::weak_ptr<const SlabDescriptor>> open_;
};

}  // namespace quern

#endif  // QUERN_SERVER_ATTACH_SHARED_SLABS_H_
