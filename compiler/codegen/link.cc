// Links one object with JITLink into the bytes of an image.
#include "compiler/codegen/link.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "llvm/ADT/BitmaskEnum.h"
#include "llvm/ExecutionEngine/JITLink/JITLink.h"
#include "llvm/ExecutionEngine/JITLink/aarch64.h"
#include "llvm/ExecutionEngine/JITLink/x86_64.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBufferRef.h"

namespace quern {
namespace {

LLVM_ENABLE_BITMASK_ENUMS_IN_NAMESPACE();

namespace jitlink = llvm::jitlink;

llvm::Error Refuse(const std::string& message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

// References that hold wherever the whole image lies, given its alignment.
bool IsRelative(llvm::Triple::ArchType arch, jitlink::Edge::Kind kind) {
  if (arch == llvm::Triple::x86_64) {
    switch (kind) {
      case jitlink::x86_64::BranchPCRel32:
      case jitlink::x86_64::PCRel32:
      case jitlink::x86_64::Delta32:
      case jitlink::x86_64::Delta64:
      case jitlink::x86_64::NegDelta32:
      case jitlink::x86_64::NegDelta64:
        return true;
      default:
        return false;
    }
  }
  switch (kind) {
    case jitlink::aarch64::Branch26PCRel:
    case jitlink::aarch64::CondBranch19PCRel:
    case jitlink::aarch64::TestAndBranch14PCRel:
    case jitlink::aarch64::LDRLiteral19:
    case jitlink::aarch64::ADRLiteral21:
    case jitlink::aarch64::Page21:
    case jitlink::aarch64::PageOffset12:
    case jitlink::aarch64::Delta32:
    case jitlink::aarch64::Delta64:
    case jitlink::aarch64::NegDelta32:
    case jitlink::aarch64::NegDelta64:
      return true;
    default:
      return false;
  }
}

std::string NameOf(const jitlink::Symbol& symbol) {
  return symbol.hasName() ? symbol.getName().str() : "(unnamed)";
}

llvm::Error CheckEdges(const jitlink::LinkGraph& graph,
                       const jitlink::Block& block) {
  for (const jitlink::Edge& edge : block.edges()) {
    const jitlink::Symbol& target = edge.getTarget();
    if (!target.isDefined()) {
      return Refuse(
          absl::StrCat("the image would import '", NameOf(target), "'"));
    }
    if (edge.getKind() == jitlink::Edge::KeepAlive) continue;
    if (!IsRelative(graph.getTargetTriple().getArch(), edge.getKind())) {
      return Refuse(absl::StrCat("the image would hold a reference of kind ",
                                 graph.getEdgeKindName(edge.getKind()), " to '",
                                 NameOf(target), "'"));
    }
  }
  return llvm::Error::success();
}

// The gate before fix-ups: whatever passes is right at every address.
llvm::Error CheckGraph(jitlink::LinkGraph& graph) {
  for (jitlink::Section& section : graph.sections()) {
    if (section.blocks_size() == 0 ||
        section.getMemLifetime() == llvm::orc::MemLifetime::NoAlloc) {
      continue;
    }
    if ((section.getMemProt() & llvm::orc::MemProt::Write) !=
        llvm::orc::MemProt::None) {
      return Refuse(absl::StrCat("the image would hold writable data, in ",
                                 section.getName().str()));
    }
    for (const jitlink::Block* block : section.blocks()) {
      if (llvm::Error error = CheckEdges(graph, *block)) return error;
    }
  }
  return llvm::Error::success();
}

// What is not loaded (debug information, comments) is no part of an image.
llvm::Error DropUnallocated(jitlink::LinkGraph& graph) {
  std::vector<jitlink::Section*> dropped;
  for (jitlink::Section& section : graph.sections()) {
    if (section.getMemLifetime() == llvm::orc::MemLifetime::NoAlloc) {
      dropped.push_back(&section);
    }
  }
  for (jitlink::Section* section : dropped) graph.removeSection(*section);
  return llvm::Error::success();
}

llvm::Error KeepEntry(jitlink::LinkGraph& graph) {
  for (jitlink::Symbol* symbol : graph.defined_symbols()) {
    symbol->setLive(symbol->hasName() && symbol->getName() == kEntrySymbol);
  }
  return llvm::Error::success();
}

// Takes one graph through JITLink, in place and on this thread.
class LinkContext final : public jitlink::JITLinkContext {
 public:
  LinkContext(uint64_t base, LinkedCode& code, llvm::Error& error)
      : JITLinkContext(nullptr),
        base_(base),
        code_(code),
        error_(error),
        memory_(base, code.layout) {}

  jitlink::JITLinkMemoryManager& getMemoryManager() override { return memory_; }
  void notifyFailed(llvm::Error error) override {
    error_ = llvm::joinErrors(std::move(error_), std::move(error));
  }
  void lookup(
      const LookupMap& symbols,
      std::unique_ptr<jitlink::JITLinkAsyncLookupContinuation> next) override {
    // CheckGraph has refused every reference outwards before.
    next->run(symbols.empty() ? llvm::Expected<jitlink::AsyncLookupResult>(
                                    jitlink::AsyncLookupResult())
                              : Refuse("the image imports symbols"));
  }
  llvm::Error notifyResolved(jitlink::LinkGraph& graph) override {
    for (jitlink::Symbol* symbol : graph.defined_symbols()) {
      if (!symbol->hasName() || symbol->getName() != kEntrySymbol) continue;
      code_.entry_offset = symbol->getAddress().getValue() - base_;
      return llvm::Error::success();
    }
    return Refuse("the object has no quern_entry");
  }
  void notifyFinalized(
      jitlink::JITLinkMemoryManager::FinalizedAlloc allocation) override {
    allocation.release();
  }
  // The default passes would build GOT and PLT entries for what CheckGraph is
  // to refuse.
  bool shouldAddDefaultTargetPasses(const llvm::Triple&) const override {
    return false;
  }
  llvm::Error modifyPassConfig(jitlink::LinkGraph&,
                               jitlink::PassConfiguration& passes) override {
    passes.PrePrunePasses.push_back(DropUnallocated);
    passes.PrePrunePasses.push_back(KeepEntry);
    passes.PostPrunePasses.push_back(CheckGraph);
    return llvm::Error::success();
  }

 private:
  uint64_t base_;
  LinkedCode& code_;
  llvm::Error& error_;
  FlatMemoryManager memory_;
};

}  // namespace

absl::StatusOr<LinkedCode> LinkObject(std::string_view object, uint64_t base) {
  auto graph = jitlink::createLinkGraphFromObject(llvm::MemoryBufferRef(
      llvm::StringRef(object.data(), object.size()), "kernel"));
  if (!graph) {
    return absl::InternalError(llvm::toString(graph.takeError()));
  }
  LinkedCode code;
  llvm::Error error = llvm::Error::success();
  // Marks the success as seen; failures replace it.
  static_cast<void>(static_cast<bool>(error));
  jitlink::link(std::move(*graph),
                std::make_unique<LinkContext>(base, code, error));
  if (error) {
    std::string message = llvm::toString(std::move(error));
    if (message.find("limit of 4 MiB") != std::string::npos) {
      return absl::ResourceExhaustedError(message);
    }
    return absl::InternalError(message);
  }
  return code;
}

}  // namespace quern
