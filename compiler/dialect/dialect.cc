// The dialects' registration, types and custom syntax.
#include "compiler/dialect/dialect.h"

#include "compiler/dialect/triton_dialect.cc.inc"
#include "compiler/dialect/triton_enums.cc.inc"
#include "llvm/ADT/TypeSwitch.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/FunctionImplementation.h"

#define GET_ATTRDEF_CLASSES
#include "compiler/dialect/triton_attributes.cc.inc"

#define GET_TYPEDEF_CLASSES
#include "compiler/dialect/triton_types.cc.inc"

#define GET_OP_CLASSES
#include "compiler/dialect/barrier_dialect.cc.inc"
#include "compiler/dialect/triton_ops.cc.inc"

#define GET_OP_CLASSES
#include "compiler/dialect/barrier_ops.cc.inc"

namespace quern::tt {

void TritonDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "compiler/dialect/triton_types.cc.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "compiler/dialect/triton_attributes.cc.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "compiler/dialect/triton_ops.cc.inc"
      >();
}

// ---- Types -----------------------------------------------------------------

bool HasElement(mlir::Type type, llvm::function_ref<bool(mlir::Type)> is) {
  if (auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(type)) {
    return is(tensor.getElementType());
  }
  return is(type);
}

namespace {

bool IsElement(mlir::Type type) {
  return type.isSignlessInteger() ||
         llvm::isa<mlir::FloatType, PointerType>(type);
}

}  // namespace

mlir::Type PointeeLike(mlir::Type pointer) {
  const mlir::Type none = mlir::NoneType::get(pointer.getContext());
  if (auto scalar = llvm::dyn_cast<PointerType>(pointer)) {
    return scalar.getPointeeType();
  }
  auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(pointer);
  if (!tensor) return none;
  auto element = llvm::dyn_cast<PointerType>(tensor.getElementType());
  if (!element || !IsElement(element.getPointeeType())) return none;
  return mlir::RankedTensorType::get(tensor.getShape(),
                                     element.getPointeeType());
}

mlir::Type BoolLike(mlir::Type type) {
  const mlir::Type i1 = mlir::IntegerType::get(type.getContext(), 1);
  auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(type);
  if (!tensor) return i1;
  return mlir::RankedTensorType::get(tensor.getShape(), i1);
}

mlir::Type ElementPointer(mlir::Type blockPointer) {
  const mlir::Type none = mlir::NoneType::get(blockPointer.getContext());
  auto pointer = llvm::dyn_cast<PointerType>(blockPointer);
  if (!pointer) return none;
  auto block = llvm::dyn_cast<mlir::RankedTensorType>(pointer.getPointeeType());
  if (!block) return none;
  return PointerType::get(pointer.getContext(), block.getElementType(),
                          pointer.getAddressSpace());
}

mlir::Type PointerType::parse(mlir::AsmParser& parser) {
  mlir::Type pointee;
  int addressSpace = 1;
  const llvm::SMLoc location = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseType(pointee)) return {};
  if (parser.parseOptionalComma().succeeded() &&
      parser.parseInteger(addressSpace)) {
    return {};
  }
  if (parser.parseGreater()) return {};
  if (!HasElement(pointee, IsElement)) {
    parser.emitError(location, "nothing points to a value of type ") << pointee;
    return {};
  }
  return PointerType::get(parser.getContext(), pointee, addressSpace);
}

void PointerType::print(mlir::AsmPrinter& printer) const {
  printer << "<" << getPointeeType();
  if (getAddressSpace() != 1) printer << ", " << getAddressSpace();
  printer << ">";
}

mlir::Type TensorDescriptorType::parse(mlir::AsmParser& parser) {
  const llvm::SMLoc location = parser.getCurrentLocation();
  if (parser.parseLess()) return {};
  mlir::Type block;
  const mlir::OptionalParseResult whole = parser.parseOptionalType(block);
  if (whole.has_value()) {
    if (*whole) return {};
  } else {
    llvm::SmallVector<int64_t> shape;
    mlir::Type element;
    if (parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
        parser.parseType(element)) {
      return {};
    }
    if (!mlir::TensorType::isValidElementType(element)) {
      parser.emitError(location, "a descriptor has no block of ") << element;
      return {};
    }
    block = mlir::RankedTensorType::get(shape, element);
  }
  if (parser.parseGreater()) return {};
  auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(block);
  if (!tensor || !tensor.hasStaticShape()) {
    parser.emitError(location, "a descriptor's block is a tensor, not ")
        << block;
    return {};
  }
  return TensorDescriptorType::get(parser.getContext(), tensor);
}

void TensorDescriptorType::print(mlir::AsmPrinter& printer) const {
  printer << "<" << getBlockType() << ">";
}

// ---- Functions -------------------------------------------------------------

mlir::ParseResult FuncOp::parse(mlir::OpAsmParser& parser,
                                mlir::OperationState& result) {
  auto build_type =
      [](mlir::Builder& builder, llvm::ArrayRef<mlir::Type> arguments,
         llvm::ArrayRef<mlir::Type> results,
         mlir::function_interface_impl::VariadicFlag,
         std::string&) { return builder.getFunctionType(arguments, results); };
  return mlir::function_interface_impl::parseFunctionOp(
      parser, result, /*allowVariadic=*/false,
      getFunctionTypeAttrName(result.name), build_type,
      getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

void FuncOp::print(mlir::OpAsmPrinter& printer) {
  mlir::function_interface_impl::printFunctionOp(
      printer, *this, /*isVariadic=*/false, getFunctionTypeAttrName(),
      getArgAttrsAttrName(), getResAttrsAttrName());
}

}  // namespace quern::tt

namespace quern::ttg {

void TritonGpuDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "compiler/dialect/barrier_ops.cc.inc"
      >();
}

mlir::ParseResult BarrierOp::parse(mlir::OpAsmParser& parser,
                                   mlir::OperationState& result) {
  llvm::StringRef spaces;
  if (parser.parseOptionalKeyword(&spaces).succeeded()) {
    while (parser.parseOptionalVerticalBar().succeeded()) {
      if (parser.parseKeyword(&spaces)) return mlir::failure();
    }
  }
  return parser.parseOptionalAttrDict(result.attributes);
}

void BarrierOp::print(mlir::OpAsmPrinter& printer) { printer << " all"; }

}  // namespace quern::ttg
