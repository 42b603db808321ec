// What all parts of emission share. Not for use outside this folder.
#ifndef QUERN_COMPILER_EMIT_EMIT_CONTEXT_H_
#define QUERN_COMPILER_EMIT_EMIT_CONTEXT_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "compiler/plan/plan.h"
#include "llvm/IR/IRBuilder.h"

namespace quern {

// Partial results of a reduction: for each tile of an unrolled loop, and for
// each of the reduction's values, a slot of so many lanes.
struct Accumulators {
  // [tile][value]. The slots of tiles of `tail_width` come last if those are
  // narrower.
  std::vector<llvm::SmallVector<llvm::AllocaInst*, 2>> slots;
  // Whether the tile has been written; empty where an identity is known.
  std::vector<llvm::AllocaInst*> filled;
  unsigned width = 1;
  unsigned tail_width = 1;
  // Whether partial results that pass NaN by start as infinities, and so are
  // never NaN: that is one instruction for each, not three, on x86-64. Else
  // they start as NaN, so that nothing but NaN gives NaN.
  bool never_nan = false;

  bool has_tail() const { return width != tail_width; }
};

// One kernel's emission. Parts read and write it; `b` is the place where code
// is emitted next.
struct EmitContext {
  EmitContext(const Plan& plan, llvm::Module& module)
      : plan(plan), module(module), b(module.getContext()) {}

  const Plan& plan;
  llvm::Module& module;
  llvm::IRBuilder<> b;
  llvm::Function* function = nullptr;
  // Slots go here, so that SROA finds them.
  llvm::BasicBlock* entry = nullptr;
  // The end of a program; the next one follows.
  llvm::BasicBlock* next_program = nullptr;

  llvm::Value* scratch = nullptr;
  llvm::Value* program_id[3] = {};
  llvm::Value* grid[3] = {};

  llvm::DenseMap<mlir::Value, llvm::Value*> scalars;
  llvm::DenseMap<mlir::Block*, llvm::BasicBlock*> blocks;
  // Slots of scalars that blocks pass each other.
  llvm::DenseMap<mlir::Value, llvm::AllocaInst*> block_slots;
  std::vector<llvm::Value*> buffers;
  std::vector<llvm::AllocaInst*> steps;
  std::vector<Accumulators> accumulators;
  std::vector<std::string> assert_messages;

  // The first failure. Emission goes on with undefined values after it.
  absl::Status status;

  llvm::LLVMContext& context() { return module.getContext(); }
  llvm::ConstantInt* I64(int64_t value) { return b.getInt64(value); }
  llvm::BasicBlock* NewBlock(const char* name) {
    return llvm::BasicBlock::Create(context(), name, function);
  }
  llvm::AllocaInst* NewSlot(llvm::Type* type) {
    llvm::IRBuilder<> at(entry, entry->begin());
    return at.CreateAlloca(type);
  }
  llvm::Value* Load(llvm::AllocaInst* slot) {
    return b.CreateLoad(slot->getAllocatedType(), slot);
  }
  llvm::Value* Scalar(mlir::Value value);
  void Fail(mlir::Operation* op, std::string_view what);

  // Emits `body` for each index from `begin` to before `end`. The body may add
  // blocks. All i64.
  void Loop(llvm::Value* begin, llvm::Value* end, int64_t step,
            llvm::function_ref<void(llvm::Value* index)> body);
  // Emits `then` to run if `condition` holds.
  void If(llvm::Value* condition, llvm::function_ref<void()> then);
  // The value that `then` returns if `condition` holds, else `otherwise`.
  llvm::Value* Choose(llvm::Value* condition, llvm::Value* otherwise,
                      llvm::function_ref<llvm::Value*()> then);
  // Leaves the kernel with the number of a new assert if `condition` is false.
  void Assert(llvm::Value* condition, llvm::StringRef message);
};

// emit_items.cc: what a sequence of items does.
void EmitSequence(EmitContext& context, const Sequence& items);
void EmitItem(EmitContext& context, const Item& item);
// emit_scalar.cc
void EmitScalar(EmitContext& context, mlir::Operation* op);
// group_versions.cc
void EmitGroup(EmitContext& context, const Group& group);
// emit_group.cc; `straight`: none of the group's indices wraps.
void EmitGroupVersion(EmitContext& context, const Group& group, bool straight);
// emit_dot.cc
void EmitDot(EmitContext& context, const Item& item);
// dot_loop.cc: the dot `dot` of `loop`, in chunks, of which `depth` elements of
// K (i64) are packed. `moved`: if not null, a is not packed, and the addresses
// of its rows are to be moved by so many elements.
void EmitDotChunk(EmitContext& context, const Item& loop, const Item& dot,
                  llvm::Value* depth, llvm::Value* moved);
// control_flow.cc
void EmitFor(EmitContext& context, const Item& item);
void EmitIf(EmitContext& context, const Item& item);
void EmitWhile(EmitContext& context, const Item& item);
void EmitBranch(EmitContext& context, const Item& item);

// elementwise.cc: `op` of scalars or of vectors, which are its operands.
llvm::Value* EmitElementwise(EmitContext& context, mlir::Operation* op,
                             llvm::ArrayRef<llvm::Value*> args);
// The same for an operation of floats, all of them f32 or all f64, whatever the
// types of `op` are. Null if it is none.
llvm::Value* EmitFloatOperation(EmitContext& context, mlir::Operation* op,
                                llvm::ArrayRef<llvm::Value*> args);
// A constant of the attribute's value, as it is in a register.
llvm::Constant* EmitConstant(EmitContext& context, mlir::TypedAttr attribute);
// A number of one element type as one of another.
llvm::Value* EmitConvert(EmitContext& context, llvm::Value* value,
                         mlir::Type from, mlir::Type to);

// combine.cc, emit_items.cc
Accumulators NewAccumulators(EmitContext& context,
                             llvm::ArrayRef<mlir::Type> elements,
                             bool has_identity, unsigned width,
                             unsigned tail_width, unsigned unroll);
void InitAccumulator(EmitContext& context, uint32_t index);

}  // namespace quern

#endif  // QUERN_COMPILER_EMIT_EMIT_CONTEXT_H_
