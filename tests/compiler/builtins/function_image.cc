// Builtins made callable.
#include "tests/compiler/builtins/function_image.h"

#include <vector>

#include "llvm/IR/Module.h"
#include "tests/compiler/codegen/ir_image.h"

namespace quern {
namespace {

llvm::Type* LanesOf(llvm::Type* element, unsigned lanes) {
  if (lanes == 1) return element;
  return llvm::FixedVectorType::get(element, lanes);
}

llvm::Function* NewEntry(llvm::IRBuilder<>& builder, llvm::Module& module) {
  llvm::Type* pointer = builder.getPtrTy();
  return llvm::Function::Create(
      llvm::FunctionType::get(
          builder.getInt32Ty(),
          {pointer, builder.getInt64Ty(), builder.getInt64Ty(), pointer},
          false),
      llvm::Function::ExternalLinkage, "quern_entry", module);
}

}  // namespace

absl::StatusOr<std::string> FunctionImage(const FunctionShape& shape,
                                          const EmitBody& body,
                                          const TargetSpec& target) {
  llvm::LLVMContext context;
  llvm::Module module("function", context);
  llvm::IRBuilder<> builder(context);
  llvm::Function* function = NewEntry(builder, module);
  auto* entry = llvm::BasicBlock::Create(context, "entry", function);
  auto* loop = llvm::BasicBlock::Create(context, "loop", function);
  auto* done = llvm::BasicBlock::Create(context, "done", function);
  builder.SetInsertPoint(entry);
  llvm::Type* pointer = builder.getPtrTy();
  llvm::Value* slots = builder.CreateLoad(pointer, function->getArg(0));
  std::vector<llvm::Value*> arrays;
  for (unsigned i = 0; i <= shape.arguments; ++i) {
    arrays.push_back(builder.CreateLoad(
        pointer, builder.CreateConstGEP1_64(pointer, slots, i)));
  }
  builder.CreateBr(loop);
  builder.SetInsertPoint(loop);
  llvm::PHINode* index = builder.CreatePHI(builder.getInt64Ty(), 2);
  index->addIncoming(function->getArg(1), entry);
  llvm::Type* in = shape.in(context);
  llvm::Type* out = shape.out(context);
  std::vector<llvm::Value*> values;
  for (unsigned i = 0; i < shape.arguments; ++i) {
    values.push_back(builder.CreateAlignedLoad(
        LanesOf(in, shape.lanes), builder.CreateGEP(in, arrays[i], index),
        llvm::Align(1)));
  }
  llvm::Value* result = body(builder, values);
  builder.CreateAlignedStore(
      result, builder.CreateGEP(out, arrays.back(), index), llvm::Align(1));
  llvm::Value* next = builder.CreateAdd(index, builder.getInt64(shape.lanes));
  index->addIncoming(next, builder.GetInsertBlock());
  builder.CreateCondBr(builder.CreateICmpULT(next, function->getArg(2)), loop,
                       done);
  builder.SetInsertPoint(done);
  builder.CreateRet(builder.getInt32(0));
  return ImageOf(module, target);
}

}  // namespace quern
