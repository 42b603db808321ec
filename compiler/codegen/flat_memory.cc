// JITLink's memory as one flat block of bytes.
#include "compiler/codegen/flat_memory.h"

#include <memory>
#include <utility>

#include "llvm/ADT/BitmaskEnum.h"
#include "llvm/ExecutionEngine/JITLink/JITLink.h"
#include "llvm/Support/Error.h"

namespace quern {
namespace {

LLVM_ENABLE_BITMASK_ENUMS_IN_NAMESPACE();

using llvm::jitlink::BasicLayout;
using llvm::jitlink::JITLinkMemoryManager;

// The bytes belong to the layout: there is nothing to finish or to free.
class FlatAllocation final : public JITLinkMemoryManager::InFlightAlloc {
 public:
  explicit FlatAllocation(uint64_t base) : base_(base) {}

  void abandon(OnAbandonedFunction on_abandoned) override {
    on_abandoned(llvm::Error::success());
  }
  void finalize(OnFinalizedFunction on_finalized) override {
    on_finalized(
        JITLinkMemoryManager::FinalizedAlloc(llvm::orc::ExecutorAddr(base_)));
  }

 private:
  uint64_t base_;
};

llvm::Error Refuse(const char* message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

}  // namespace

void FlatMemoryManager::allocate(const llvm::jitlink::JITLinkDylib*,
                                 llvm::jitlink::LinkGraph& graph,
                                 OnAllocatedFunction on_allocated) {
  BasicLayout basic(graph);
  uint64_t end = QUERN_IMAGE_HEADER_SIZE;
  // Code comes before constants: the groups are ordered by protection, and
  // only the place matters, so each is found by what it allows.
  auto place = [&](bool executable, quern_image_range& range) {
    for (auto& [group, segment] : basic.segments()) {
      llvm::orc::MemProt protection = group.getMemProt();
      const bool executes =
          (protection & llvm::orc::MemProt::Exec) != llvm::orc::MemProt::None;
      if (executes != executable) continue;
      end = llvm::alignTo(end, segment.Alignment);
      const uint64_t size = segment.ContentSize + segment.ZeroFillSize;
      range.offset = end;
      range.size_bytes = size;
      segment.Addr = llvm::orc::ExecutorAddr(base_ + end);
      end += size;
      if (end > QUERN_IMAGE_SIZE_MAX) return;
    }
  };
  place(true, layout_.code);
  if (end <= QUERN_IMAGE_SIZE_MAX) place(false, layout_.constants);
  if (end > QUERN_IMAGE_SIZE_MAX) {
    return on_allocated(Refuse("the image is over its limit of 4 MiB"));
  }
  layout_.bytes.assign(end, '\0');
  for (auto& [group, segment] : basic.segments()) {
    segment.WorkingMem =
        layout_.bytes.data() + (segment.Addr.getValue() - base_);
  }
  if (llvm::Error error = basic.apply()) {
    return on_allocated(std::move(error));
  }
  on_allocated(std::make_unique<FlatAllocation>(base_));
}

void FlatMemoryManager::deallocate(std::vector<FinalizedAlloc> allocations,
                                   OnDeallocatedFunction on_deallocated) {
  for (FinalizedAlloc& allocation : allocations) allocation.release();
  on_deallocated(llvm::Error::success());
}

}  // namespace quern
