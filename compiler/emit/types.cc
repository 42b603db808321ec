// The LLVM types of elements.
#include "compiler/emit/types.h"

#include "llvm/IR/Value.h"

namespace quern {

llvm::Type* RegisterType(llvm::LLVMContext& context, mlir::Type element) {
  if (element.isSignlessInteger()) {
    return llvm::Type::getIntNTy(context, element.getIntOrFloatBitWidth());
  }
  if (llvm::isa<mlir::FloatType>(element)) {
    return ElementType(context, FormatOf(element));
  }
  return llvm::PointerType::get(context, 0);
}

llvm::Type* MemoryType(llvm::LLVMContext& context, mlir::Type element) {
  if (element.isSignlessInteger(1)) return llvm::Type::getInt8Ty(context);
  return RegisterType(context, element);
}

FloatFormat FormatOf(mlir::Type element) {
  if (element.isF16()) return FloatFormat::kF16;
  if (element.isBF16()) return FloatFormat::kBF16;
  if (element.isF64()) return FloatFormat::kF64;
  if (element.isFloat8E5M2()) return FloatFormat::kF8E5M2;
  if (element.isFloat8E4M3FN()) return FloatFormat::kF8E4M3FN;
  if (element.isFloat8E5M2FNUZ()) return FloatFormat::kF8E5M2FNUZ;
  if (element.isFloat8E4M3FNUZ()) return FloatFormat::kF8E4M3FNUZ;
  return FloatFormat::kF32;
}

llvm::Type* LanesOf(llvm::Type* type, unsigned width) {
  return width == 1 ? type : llvm::FixedVectorType::get(type, width);
}

unsigned WidthOf(llvm::Value* value) {
  auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(value->getType());
  return vector ? vector->getNumElements() : 1;
}

}  // namespace quern
