// JITLink's memory as one flat block of bytes: the code and the constants of a
// kernel image. Nothing is mapped, protected or made executable.
#ifndef QUERN_COMPILER_CODEGEN_FLAT_MEMORY_H_
#define QUERN_COMPILER_CODEGEN_FLAT_MEMORY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "llvm/ExecutionEngine/JITLink/JITLinkMemoryManager.h"
#include "proto/wire/image_format.h"

namespace quern {

// Where linked code and constants lie. Offsets count from the image's start.
struct FlatLayout {
  std::string bytes;  // From the image's start; the header is still zero.
  quern_image_range code = {};
  quern_image_range constants = {};
};

// Lays one graph out into a FlatLayout, at addresses as if the image lay at
// `base`, a multiple of QUERN_IMAGE_ALIGNMENT. For one link only.
class FlatMemoryManager final : public llvm::jitlink::JITLinkMemoryManager {
 public:
  // `layout` is written to until the link ends and must outlive this.
  FlatMemoryManager(uint64_t base, FlatLayout& layout)
      : base_(base), layout_(layout) {}

  void allocate(const llvm::jitlink::JITLinkDylib* dylib,
                llvm::jitlink::LinkGraph& graph,
                OnAllocatedFunction on_allocated) override;
  void deallocate(std::vector<FinalizedAlloc> allocations,
                  OnDeallocatedFunction on_deallocated) override;

 private:
  uint64_t base_;
  FlatLayout& layout_;
};

}  // namespace quern

#endif  // QUERN_COMPILER_CODEGEN_FLAT_MEMORY_H_
