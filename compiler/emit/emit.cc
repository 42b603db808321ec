// Plan to LLVM IR: the entry point and the loop over programs.
#include "compiler/emit/emit.h"

#include "absl/strings/str_cat.h"
#include "compiler/dialect/diagnostics.h"
#include "compiler/emit/emit_context.h"
#include "compiler/emit/types.h"
#include "compiler/plan/operations.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/raw_ostream.h"
#include "proto/wire/kernel_abi.h"

namespace quern {
namespace {

std::optional<ArgumentType> ArgumentTypeOf(mlir::Type type) {
  if (llvm::isa<tt::PointerType>(type)) return ArgumentType::kPointer;
  if (type.isF16()) return ArgumentType::kF16;
  if (type.isBF16()) return ArgumentType::kBF16;
  if (type.isF32()) return ArgumentType::kF32;
  if (type.isF64()) return ArgumentType::kF64;
  if (type.isSignlessInteger(1)) return ArgumentType::kI1;
  if (type.isSignlessInteger(8)) return ArgumentType::kI8;
  if (type.isSignlessInteger(16)) return ArgumentType::kI16;
  if (type.isSignlessInteger(32)) return ArgumentType::kI32;
  if (type.isSignlessInteger(64)) return ArgumentType::kI64;
  return std::nullopt;
}

class KernelEmitter {
 public:
  KernelEmitter(const Plan& plan, llvm::LLVMContext& context)
      : plan_(plan),
        function_(plan.function),
        module_(std::make_unique<llvm::Module>("kernel", context)),
        c_(plan, *module_) {}

  absl::StatusOr<EmittedKernel> Run() {
    absl::Status status = CheckArguments();
    if (!status.ok()) return status;
    StartFunction();
    LoadArguments();
    PlaceBuffers();
    EmitPrograms();
    if (!c_.status.ok()) return c_.status;
    std::string problem;
    llvm::raw_string_ostream stream(problem);
    if (llvm::verifyModule(*module_, &stream)) {
      return absl::InternalError(
          absl::StrCat("the emitted code does not verify: ", problem));
    }
    EmittedKernel kernel;
    kernel.module = std::move(module_);
    kernel.scratch_bytes = plan_.scratch_bytes;
    kernel.assert_messages = std::move(c_.assert_messages);
    kernel.arguments = std::move(arguments_);
    return kernel;
  }

 private:
  absl::Status CheckArguments() {
    for (mlir::BlockArgument argument : function_.getArguments()) {
      const auto type = ArgumentTypeOf(argument.getType());
      if (!type) {
        std::string text;
        llvm::raw_string_ostream(text) << argument.getType();
        return UnimplementedAt(function_,
                               absl::StrCat("an argument of type ", text));
      }
      arguments_.push_back(*type);
    }
    if (arguments_.size() > QUERN_ARGUMENTS_MAX) {
      return absl::InvalidArgumentError(absl::StrCat(
          LocationText(function_.getLoc()), ": ", arguments_.size(),
          " arguments; the most is ", QUERN_ARGUMENTS_MAX));
    }
    return absl::OkStatus();
  }

  void StartFunction() {
    llvm::IRBuilder<>& b = c_.b;
    llvm::Type* pointer = b.getPtrTy();
    llvm::Type* i64 = b.getInt64Ty();
    auto* type = llvm::FunctionType::get(
        b.getInt32Ty(), {pointer, i64, i64, pointer}, /*isVarArg=*/false);
    c_.function = llvm::Function::Create(type, llvm::Function::ExternalLinkage,
                                         "quern_entry", *module_);
    c_.function->addFnAttr(llvm::Attribute::NoUnwind);
    c_.function->addFnAttr("no-builtins");
    c_.function->addParamAttr(0, llvm::Attribute::ReadOnly);
    c_.function->addParamAttr(3, llvm::Attribute::NoAlias);
    c_.function->addParamAttr(
        3, llvm::Attribute::getWithAlignment(
               c_.context(), llvm::Align(QUERN_SCRATCH_ALIGNMENT)));
    c_.scratch = c_.function->getArg(3);
    c_.entry = c_.NewBlock("entry");
    b.SetInsertPoint(c_.entry);
    llvm::FastMathFlags flags;
    flags.setAllowContract();
    b.setFastMathFlags(flags);
  }

  llvm::Value* FieldOfLaunch(size_t offset_bytes, llvm::Type* type) {
    llvm::Value* address = c_.b.CreateConstGEP1_64(
        c_.b.getInt8Ty(), c_.function->getArg(0), offset_bytes);
    return c_.b.CreateLoad(type, address);
  }

  // Once for all programs.
  void LoadArguments() {
    llvm::IRBuilder<>& b = c_.b;
    llvm::Value* slots =
        FieldOfLaunch(offsetof(quern_launch, args), b.getPtrTy());
    for (auto [i, argument] : llvm::enumerate(function_.getArguments())) {
      const mlir::Type type = argument.getType();
      llvm::Value* slot = b.CreateConstGEP1_64(b.getInt64Ty(), slots, i);
      llvm::Value* value = b.CreateLoad(MemoryType(c_.context(), type), slot);
      if (type.isSignlessInteger(1)) value = b.CreateIsNotNull(value);
      c_.scalars[argument] = value;
    }
    for (unsigned axis = 0; axis < 3; ++axis) {
      llvm::Value* size = FieldOfLaunch(offsetof(quern_launch, grid) + 4 * axis,
                                        b.getInt32Ty());
      c_.grid[axis] = b.CreateZExt(size, b.getInt64Ty());
    }
  }

  void PlaceBuffers() {
    for (const Buffer& buffer : plan_.buffers) {
      c_.buffers.push_back(c_.b.CreateConstInBoundsGEP1_64(
          c_.b.getInt8Ty(), c_.scratch, buffer.offset_bytes));
    }
    c_.steps.resize(plan_.steps.size(), nullptr);
    c_.accumulators.resize(plan_.accumulators.size());
  }

  // The coordinates of the first program. Most launches begin in the first
  // row, where there is nothing to divide.
  void FirstProgram(llvm::Value* begin, llvm::Value* (&first)[3]) {
    llvm::IRBuilder<>& b = c_.b;
    llvm::BasicBlock* origin = b.GetInsertBlock();
    llvm::BasicBlock* divide = c_.NewBlock("divide");
    llvm::BasicBlock* start = c_.NewBlock("start");
    b.CreateCondBr(b.CreateICmpULT(begin, c_.grid[0]), start, divide);
    b.SetInsertPoint(divide);
    llvm::Value* row = b.CreateUDiv(begin, c_.grid[0]);
    llvm::Value* at[3] = {b.CreateURem(begin, c_.grid[0]),
                          b.CreateURem(row, c_.grid[1]),
                          b.CreateUDiv(row, c_.grid[1])};
    b.CreateBr(start);
    b.SetInsertPoint(start);
    for (unsigned axis = 0; axis < 3; ++axis) {
      llvm::PHINode* phi = b.CreatePHI(b.getInt64Ty(), 2);
      phi->addIncoming(axis == 0 ? begin : c_.I64(0), origin);
      phi->addIncoming(at[axis], divide);
      first[axis] = phi;
    }
  }

  void EmitPrograms() {
    llvm::IRBuilder<>& b = c_.b;
    llvm::Value* begin = c_.function->getArg(1);
    llvm::Value* end = c_.function->getArg(2);
    llvm::BasicBlock* some = c_.NewBlock("some");
    llvm::BasicBlock* done = c_.NewBlock("done");
    b.CreateCondBr(b.CreateICmpULT(begin, end), some, done);
    b.SetInsertPoint(some);
    llvm::Value* first[3];
    FirstProgram(begin, first);
    llvm::BasicBlock* before = b.GetInsertBlock();
    llvm::BasicBlock* program = c_.NewBlock("program");
    c_.next_program = c_.NewBlock("next");
    b.CreateBr(program);
    b.SetInsertPoint(program);
    llvm::PHINode* linear = b.CreatePHI(b.getInt64Ty(), 2);
    linear->addIncoming(begin, before);
    llvm::PHINode* at[3];
    for (unsigned axis = 0; axis < 3; ++axis) {
      at[axis] = b.CreatePHI(b.getInt64Ty(), 2);
      at[axis]->addIncoming(first[axis], before);
      c_.program_id[axis] = at[axis];
    }
    EmitBody();
    b.SetInsertPoint(c_.next_program);
    llvm::Value* carry = b.getTrue();
    for (unsigned axis = 0; axis < 3; ++axis) {
      llvm::Value* next =
          b.CreateAdd(at[axis], b.CreateZExt(carry, b.getInt64Ty()));
      llvm::Value* wraps = b.CreateICmpEQ(next, c_.grid[axis]);
      at[axis]->addIncoming(b.CreateSelect(wraps, c_.I64(0), next),
                            c_.next_program);
      carry = wraps;
    }
    llvm::Value* next = b.CreateAdd(linear, c_.I64(1));
    linear->addIncoming(next, c_.next_program);
    b.CreateCondBr(b.CreateICmpULT(next, end), program, done);
    b.SetInsertPoint(done);
    b.CreateRet(b.getInt32(0));
  }

  void EmitBody() {
    mlir::Region& body = function_.getBody();
    for (mlir::Block& block : body) {
      c_.blocks[&block] =
          block.isEntryBlock() ? c_.b.GetInsertBlock() : c_.NewBlock("block");
      if (block.isEntryBlock()) continue;
      for (mlir::Value argument : block.getArguments()) {
        if (IsTensor(argument)) continue;
        c_.block_slots[argument] =
            c_.NewSlot(RegisterType(c_.context(), argument.getType()));
      }
    }
    for (auto [block, sequence] : llvm::zip(body, plan_.blocks)) {
      c_.b.SetInsertPoint(c_.blocks[&block]);
      if (!block.isEntryBlock()) {
        for (mlir::Value argument : block.getArguments()) {
          if (IsTensor(argument)) continue;
          c_.scalars[argument] = c_.Load(c_.block_slots[argument]);
        }
      }
      EmitSequence(c_, sequence);
      if (!c_.status.ok()) return;
    }
  }

  const Plan& plan_;
  tt::FuncOp function_;
  std::unique_ptr<llvm::Module> module_;
  EmitContext c_;
  std::vector<ArgumentType> arguments_;
};

}  // namespace

absl::StatusOr<EmittedKernel> Emit(const Plan& plan,
                                   llvm::LLVMContext& context) {
  return KernelEmitter(plan, context).Run();
}

}  // namespace quern
