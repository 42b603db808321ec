// Rewriting of operations that others can express.
#include "compiler/plan/expand.h"

#include "compiler/dialect/diagnostics.h"
#include "compiler/plan/operations.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

namespace quern {
namespace {

namespace arith = mlir::arith;

// Bodies inlined into one kernel; a function that calls itself has no end.
constexpr int kInlinedCallsMax = 1000;

absl::Status InlineCall(tt::CallOp call) {
  auto callee = mlir::SymbolTable::lookupNearestSymbolFrom<tt::FuncOp>(
      call, call.getCalleeAttr());
  if (!callee.getBody().hasOneBlock()) {
    return UnimplementedAt(call, "a call of a function of several blocks");
  }
  mlir::IRMapping map;
  mlir::Block& body = callee.getBody().front();
  map.map(body.getArguments(), call.getOperands());
  mlir::OpBuilder builder(call);
  for (mlir::Operation& op : body.without_terminator()) builder.clone(op, map);
  for (auto [result, returned] :
       llvm::zip(call.getResults(), body.getTerminator()->getOperands())) {
    result.replaceAllUsesWith(map.lookupOrDefault(returned));
  }
  call.erase();
  return absl::OkStatus();
}

absl::Status InlineCalls(tt::FuncOp function) {
  for (int i = 0; i < kInlinedCallsMax; ++i) {
    tt::CallOp first;
    function.walk([&](tt::CallOp call) {
      first = call;
      return mlir::WalkResult::interrupt();
    });
    if (!first) return absl::OkStatus();
    if (absl::Status status = InlineCall(first); !status.ok()) return status;
  }
  return UnimplementedAt(function, "calls that do not end");
}

// The pointers and the mask of one block of a described tensor.
class BlockAccess {
 public:
  BlockAccess(mlir::OpBuilder& builder, mlir::Location location,
              tt::MakeTensorDescriptorOp descriptor, mlir::OperandRange indices)
      : b_(builder),
        location_(location),
        descriptor_(descriptor),
        shape_(descriptor.getResult().getType().getBlockType().getShape()) {
    for (unsigned i = 0; i < shape_.size(); ++i) AddDimension(i, indices[i]);
    const mlir::Type pointers = Tensor(shape_, descriptor_.getBase().getType());
    mlir::Value base =
        b_.create<tt::SplatOp>(location_, pointers, descriptor_.getBase());
    pointers_ = b_.create<tt::AddPtrOp>(location_, pointers, base, offset_);
  }

  mlir::Value pointers() const { return pointers_; }
  mlir::Value mask() const { return mask_; }

  // All elements are zero, or NaN if the descriptor says so.
  mlir::Value Padding() {
    const mlir::Type element = descriptor_.getBase().getType().getPointeeType();
    mlir::TypedAttr value = b_.getZeroAttr(element);
    auto format = llvm::dyn_cast<mlir::FloatType>(element);
    if (format && descriptor_.getPadding() == tt::Padding::kNan) {
      value = mlir::FloatAttr::get(
          format, llvm::APFloat::getNaN(format.getFloatSemantics()));
    }
    mlir::Value scalar = b_.create<arith::ConstantOp>(location_, value);
    return b_.create<tt::SplatOp>(location_, Tensor(shape_, element), scalar);
  }

 private:
  static mlir::RankedTensorType Tensor(llvm::ArrayRef<int64_t> shape,
                                       mlir::Type element) {
    return mlir::RankedTensorType::get(shape, element);
  }

  mlir::Value Splat(mlir::Value scalar, llvm::ArrayRef<int64_t> shape) {
    return b_.create<tt::SplatOp>(location_, Tensor(shape, scalar.getType()),
                                  scalar);
  }

  mlir::Value Broadcast(mlir::Value value) {
    const mlir::Type type = Tensor(shape_, ElementOf(value));
    if (value.getType() == type) return value;
    return b_.create<tt::BroadcastOp>(location_, type, value);
  }

  // Adds what dimension `i` contributes to the offsets and the mask.
  void AddDimension(unsigned i, mlir::Value first) {
    const mlir::Type i64 = b_.getI64Type();
    const int64_t size = shape_[i];
    mlir::Value index = b_.create<tt::MakeRangeOp>(
        location_, Tensor(size, b_.getI32Type()), 0, size);
    index = b_.create<arith::ExtSIOp>(location_, Tensor(size, i64), index);
    for (unsigned k = 0; k < shape_.size(); ++k) {
      if (k == i) continue;
      llvm::SmallVector<int64_t> wider(ShapeOf(index));
      wider.insert(wider.begin() + k, 1);
      index =
          b_.create<tt::ExpandDimsOp>(location_, Tensor(wider, i64), index, k);
    }
    const llvm::SmallVector<int64_t> line(ShapeOf(index));
    mlir::Value start = b_.create<arith::ExtSIOp>(location_, i64, first);
    index = b_.create<arith::AddIOp>(location_, index, Splat(start, line));
    mlir::Value stride = Splat(descriptor_.getStrides()[i], line);
    Add(offset_, b_.create<arith::MulIOp>(location_, index, stride));
    // Below zero, as unsigned numbers, is above every size.
    mlir::Value end =
        b_.create<arith::ExtSIOp>(location_, i64, descriptor_.getShape()[i]);
    mlir::Value inside = b_.create<arith::CmpIOp>(
        location_, arith::CmpIPredicate::ult, index, Splat(end, line));
    And(inside);
  }

  void Add(mlir::Value& sum, mlir::Value term) {
    term = Broadcast(term);
    sum = sum ? b_.create<arith::AddIOp>(location_, sum, term) : term;
  }

  void And(mlir::Value inside) {
    inside = Broadcast(inside);
    mask_ = mask_ ? b_.create<arith::AndIOp>(location_, mask_, inside) : inside;
  }

  mlir::OpBuilder& b_;
  mlir::Location location_;
  tt::MakeTensorDescriptorOp descriptor_;
  llvm::ArrayRef<int64_t> shape_;
  mlir::Value offset_, mask_, pointers_;
};

mlir::Value Reshape(mlir::OpBuilder& builder, mlir::Location location,
                    mlir::Value value, mlir::Type type) {
  if (value.getType() == type) return value;
  return builder.create<tt::ReshapeOp>(location, type, value,
                                       /*allow_reorder=*/false,
                                       /*efficient_layout=*/false);
}

template <typename Load>
void ExpandLoad(Load load) {
  auto descriptor =
      load.getDesc().template getDefiningOp<tt::MakeTensorDescriptorOp>();
  if (!descriptor) return;
  const mlir::RankedTensorType block =
      descriptor.getResult().getType().getBlockType();
  if (load.getIndices().size() != block.getShape().size()) return;
  mlir::OpBuilder builder(load);
  BlockAccess access(builder, load.getLoc(), descriptor, load.getIndices());
  mlir::Value value = builder.create<tt::LoadOp>(
      load.getLoc(), tt::PointeeLike(access.pointers().getType()),
      access.pointers(), access.mask(), access.Padding(),
      builder.getDenseI32ArrayAttr({}), tt::PaddingAttr(),
      tt::CacheModifierAttr::get(builder.getContext(),
                                 tt::CacheModifier::kNone),
      tt::EvictionPolicyAttr::get(builder.getContext(),
                                  tt::EvictionPolicy::kNormal),
      tt::CachePolicyAttr(), builder.getBoolAttr(false));
  load.getResult().replaceAllUsesWith(
      Reshape(builder, load.getLoc(), value, load.getResult().getType()));
  load.erase();
}

template <typename Store>
void ExpandStore(Store store) {
  auto descriptor =
      store.getDesc().template getDefiningOp<tt::MakeTensorDescriptorOp>();
  if (!descriptor) return;
  const mlir::RankedTensorType block =
      descriptor.getResult().getType().getBlockType();
  if (store.getIndices().size() != block.getShape().size()) return;
  mlir::OpBuilder builder(store);
  BlockAccess access(builder, store.getLoc(), descriptor, store.getIndices());
  mlir::Value value = Reshape(
      builder, store.getLoc(), store.getSrc(),
      mlir::RankedTensorType::get(block.getShape(), ElementOf(store.getSrc())));
  builder.create<tt::StoreOp>(
      store.getLoc(), access.pointers(), value, access.mask(),
      builder.getDenseI32ArrayAttr({}),
      tt::CacheModifierAttr::get(builder.getContext(),
                                 tt::CacheModifier::kNone),
      tt::EvictionPolicyAttr::get(builder.getContext(),
                                  tt::EvictionPolicy::kNormal),
      tt::CachePolicyAttr(), mlir::UnitAttr());
  store.erase();
}

}  // namespace

absl::Status ExpandOperations(tt::FuncOp function) {
  if (absl::Status status = InlineCalls(function); !status.ok()) return status;
  llvm::SmallVector<mlir::Operation*> accesses;
  llvm::SmallVector<tt::MakeTensorDescriptorOp> descriptors;
  function.walk([&](mlir::Operation* op) {
    if (auto make = llvm::dyn_cast<tt::MakeTensorDescriptorOp>(op)) {
      descriptors.push_back(make);
    }
    accesses.push_back(op);
  });
  for (mlir::Operation* op : accesses) {
    if (auto load = llvm::dyn_cast<tt::DescriptorLoadOp>(op)) {
      ExpandLoad(load);
    } else if (auto old =
                   llvm::dyn_cast<tt::ExperimentalDescriptorLoadOp>(op)) {
      ExpandLoad(old);
    } else if (auto store = llvm::dyn_cast<tt::DescriptorStoreOp>(op)) {
      ExpandStore(store);
    } else if (auto old_store =
                   llvm::dyn_cast<tt::ExperimentalDescriptorStoreOp>(op)) {
      ExpandStore(old_store);
    }
  }
  for (tt::MakeTensorDescriptorOp make : descriptors) {
    if (make->use_empty()) make->erase();
  }
  return absl::OkStatus();
}

}  // namespace quern
