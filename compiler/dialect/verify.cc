// Verifiers of the operations whose shapes must agree in a way that no trait
// states. Lowering relies on them and checks nothing again.
#include "compiler/dialect/dialect.h"

namespace quern::tt {
namespace {

using Tensor = mlir::RankedTensorType;

Tensor TensorOf(mlir::Value value) {
  return llvm::cast<Tensor>(value.getType());
}

bool SameElement(mlir::Value a, mlir::Value b) {
  return mlir::getElementTypeOrSelf(a) == mlir::getElementTypeOrSelf(b);
}

// Checks a combine region: two scalars per operand in, one out.
mlir::LogicalResult VerifyCombine(mlir::Operation* op, mlir::Region& region,
                                  mlir::ValueRange sources) {
  mlir::Block& block = region.front();
  const size_t count = sources.size();
  if (count == 0) return op->emitOpError("has nothing to combine");
  if (block.getNumArguments() != 2 * count) {
    return op->emitOpError("combines ")
           << count << " values, but its region takes "
           << block.getNumArguments();
  }
  mlir::Operation* end = block.empty() ? nullptr : &block.back();
  if (!end || !llvm::isa<ReduceReturnOp, ScanReturnOp>(end) ||
      end->getNumOperands() != count) {
    return op->emitOpError("combines ")
           << count << " values, but its region does not return as many";
  }
  for (size_t i = 0; i < count; ++i) {
    const mlir::Type element = TensorOf(sources[i]).getElementType();
    if (block.getArgument(i).getType() != element ||
        block.getArgument(count + i).getType() != element ||
        end->getOperand(i).getType() != element) {
      return op->emitOpError("combines elements of type ")
             << element << ", but its region does not";
    }
    if (TensorOf(sources[i]).getShape() != TensorOf(sources[0]).getShape()) {
      return op->emitOpError("combines tensors of different shapes");
    }
  }
  return mlir::success();
}

}  // namespace

mlir::LogicalResult FuncOp::verify() {
  if (isExternal()) return emitOpError("has no body");
  if (getBody().getArgumentTypes() !=
      mlir::TypeRange(getFunctionType().getInputs())) {
    return emitOpError("has a body with other arguments");
  }
  return mlir::success();
}

mlir::LogicalResult CallOp::verifySymbolUses(
    mlir::SymbolTableCollection& symbols) {
  auto callee = symbols.lookupNearestSymbolFrom<FuncOp>(*this, getCalleeAttr());
  if (!callee) return emitOpError("calls an unknown function");
  if (callee.getFunctionType().getInputs() !=
          llvm::ArrayRef<mlir::Type>(llvm::to_vector(getOperandTypes())) ||
      callee.getFunctionType().getResults() !=
          llvm::ArrayRef<mlir::Type>(llvm::to_vector(getResultTypes()))) {
    return emitOpError("does not agree with the function it calls");
  }
  return mlir::success();
}

mlir::LogicalResult MakeRangeOp::verify() {
  const Tensor type = TensorOf(getResult());
  const int64_t size = int64_t{getEnd()} - int64_t{getStart()};
  if (type.getRank() != 1 || !type.getElementType().isSignlessInteger(32) ||
      type.getNumElements() != size) {
    return emitOpError("makes a range of ")
           << size << " numbers, not a " << type;
  }
  return mlir::success();
}

mlir::LogicalResult SplatOp::verify() {
  if (!SameElement(getSrc(), getResult())) {
    return emitOpError("changes the type of its element");
  }
  return mlir::success();
}

mlir::LogicalResult UnsplatOp::verify() {
  if (TensorOf(getSrc()).getNumElements() != 1) {
    return emitOpError("needs a tensor of one element");
  }
  return mlir::success();
}

mlir::LogicalResult ExpandDimsOp::verify() {
  llvm::SmallVector<int64_t> shape(TensorOf(getSrc()).getShape());
  const int64_t axis = static_cast<int32_t>(getAxis());
  if (axis < 0 || axis > static_cast<int64_t>(shape.size())) {
    return emitOpError("has an axis outside its operand");
  }
  shape.insert(shape.begin() + axis, 1);
  if (TensorOf(getResult()).getShape() != llvm::ArrayRef<int64_t>(shape) ||
      !SameElement(getSrc(), getResult())) {
    return emitOpError("does not add a dimension of size one at its axis");
  }
  return mlir::success();
}

mlir::LogicalResult BroadcastOp::verify() {
  const llvm::ArrayRef<int64_t> from = TensorOf(getSrc()).getShape();
  const llvm::ArrayRef<int64_t> to = TensorOf(getResult()).getShape();
  bool good = from.size() == to.size() && SameElement(getSrc(), getResult());
  for (size_t i = 0; good && i < from.size(); ++i) {
    good = from[i] == to[i] || from[i] == 1;
  }
  if (!good) return emitOpError("cannot repeat its operand to its result");
  return mlir::success();
}

mlir::LogicalResult ReshapeOp::verify() {
  if (TensorOf(getSrc()).getNumElements() !=
          TensorOf(getResult()).getNumElements() ||
      !SameElement(getSrc(), getResult())) {
    return emitOpError("does not keep its elements");
  }
  return mlir::success();
}

mlir::LogicalResult TransOp::verify() {
  const llvm::ArrayRef<int64_t> from = TensorOf(getSrc()).getShape();
  const llvm::ArrayRef<int64_t> to = TensorOf(getResult()).getShape();
  const llvm::ArrayRef<int32_t> order = getOrder();
  bool good = from.size() == to.size() && order.size() == to.size() &&
              SameElement(getSrc(), getResult());
  llvm::SmallVector<bool> seen(from.size(), false);
  for (size_t i = 0; good && i < order.size(); ++i) {
    good = order[i] >= 0 && order[i] < static_cast<int64_t>(from.size()) &&
           !seen[order[i]] && to[i] == from[order[i]];
    if (good) seen[order[i]] = true;
  }
  if (!good) return emitOpError("does not permute its operand's dimensions");
  return mlir::success();
}

mlir::LogicalResult CatOp::verify() {
  if (TensorOf(getLhs()).getNumElements() * 2 !=
          TensorOf(getResult()).getNumElements() ||
      !SameElement(getLhs(), getResult())) {
    return emitOpError("does not hold both its operands");
  }
  return mlir::success();
}

mlir::LogicalResult JoinOp::verify() {
  llvm::SmallVector<int64_t> shape(TensorOf(getLhs()).getShape());
  shape.push_back(2);
  if (TensorOf(getResult()).getShape() != llvm::ArrayRef<int64_t>(shape) ||
      !SameElement(getLhs(), getResult())) {
    return emitOpError("does not add a last dimension of two");
  }
  return mlir::success();
}

mlir::LogicalResult SplitOp::verify() {
  llvm::SmallVector<int64_t> shape(TensorOf(getOutLhs()).getShape());
  shape.push_back(2);
  if (TensorOf(getSrc()).getShape() != llvm::ArrayRef<int64_t>(shape) ||
      !SameElement(getSrc(), getOutLhs())) {
    return emitOpError("does not split a last dimension of two");
  }
  return mlir::success();
}

mlir::LogicalResult BitcastOp::verify() {
  auto bits = [](mlir::Value value) -> unsigned {
    const mlir::Type type = mlir::getElementTypeOrSelf(value);
    return llvm::isa<PointerType>(type) ? 0 : type.getIntOrFloatBitWidth();
  };
  if (bits(getSrc()) != bits(getResult())) {
    return emitOpError("changes the number of bits");
  }
  return mlir::success();
}

mlir::LogicalResult DotOp::verify() {
  const llvm::ArrayRef<int64_t> a = TensorOf(getA()).getShape();
  const llvm::ArrayRef<int64_t> b = TensorOf(getB()).getShape();
  const llvm::ArrayRef<int64_t> d = TensorOf(getD()).getShape();
  const size_t rank = d.size();
  bool good = (rank == 2 || rank == 3) && a.size() == rank && b.size() == rank;
  good = good && a[rank - 1] == b[rank - 2] && a[rank - 2] == d[rank - 2] &&
         b[rank - 1] == d[rank - 1];
  good = good && (rank == 2 || (a[0] == d[0] && b[0] == d[0]));
  if (!good) return emitOpError("has operands whose shapes do not agree");
  if (!SameElement(getA(), getB()) &&
      mlir::getElementTypeOrSelf(getA()).getIntOrFloatBitWidth() != 8) {
    return emitOpError("multiplies elements of different types");
  }
  return mlir::success();
}

mlir::LogicalResult ReduceOp::verify() {
  if (VerifyCombine(*this, getCombineOp(), getSrcs()).failed()) {
    return mlir::failure();
  }
  llvm::SmallVector<int64_t> shape(TensorOf(getSrcs()[0]).getShape());
  const int64_t axis = static_cast<int32_t>(getAxis());
  if (axis < 0 || axis >= static_cast<int64_t>(shape.size())) {
    return emitOpError("has an axis outside its operand");
  }
  shape.erase(shape.begin() + axis);
  if (getNumResults() != getSrcs().size()) {
    return emitOpError("has not one result an operand");
  }
  for (auto [source, result] : llvm::zip(getSrcs(), getResults())) {
    const mlir::Type element = TensorOf(source).getElementType();
    const mlir::Type want =
        shape.empty() ? element : mlir::Type(Tensor::get(shape, element));
    if (result.getType() != want) {
      return emitOpError("results in ") << want << ", not " << result.getType();
    }
  }
  return mlir::success();
}

mlir::LogicalResult ScanOp::verify() {
  if (VerifyCombine(*this, getCombineOp(), getSrcs()).failed()) {
    return mlir::failure();
  }
  const int64_t axis = static_cast<int32_t>(getAxis());
  if (axis < 0 || axis >= TensorOf(getSrcs()[0]).getRank()) {
    return emitOpError("has an axis outside its operand");
  }
  if (mlir::TypeRange(getSrcs()) != mlir::TypeRange(getResults())) {
    return emitOpError("changes the types of its operands");
  }
  return mlir::success();
}

mlir::LogicalResult GatherOp::verify() {
  const llvm::ArrayRef<int64_t> from = TensorOf(getSrc()).getShape();
  const llvm::ArrayRef<int64_t> to = TensorOf(getIndices()).getShape();
  const int64_t axis = static_cast<int32_t>(getAxis());
  bool good = axis >= 0 && axis < static_cast<int64_t>(from.size()) &&
              from.size() == to.size() &&
              to == TensorOf(getResult()).getShape() &&
              SameElement(getSrc(), getResult()) &&
              mlir::getElementTypeOrSelf(getIndices()).isSignlessInteger();
  for (size_t i = 0; good && i < from.size(); ++i) {
    good = static_cast<int64_t>(i) == axis || from[i] == to[i];
  }
  if (!good) return emitOpError("has operands whose shapes do not agree");
  return mlir::success();
}

mlir::LogicalResult AtomicRmwOp::verify() {
  const mlir::Type value = PointeeLike(getPtr().getType());
  if (getVal().getType() != value || getResult().getType() != value) {
    return emitOpError("updates ") << value << " with another type";
  }
  if (getMask() && getMask().getType() != BoolLike(value)) {
    return emitOpError("has a mask of another shape");
  }
  return mlir::success();
}

mlir::LogicalResult AtomicCasOp::verify() {
  const mlir::Type value = PointeeLike(getPtr().getType());
  if (getVal().getType() != value || getCmp().getType() != value ||
      getResult().getType() != value) {
    return emitOpError("updates ") << value << " with another type";
  }
  return mlir::success();
}

}  // namespace quern::tt
