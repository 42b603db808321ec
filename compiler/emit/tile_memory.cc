// Loads, stores and buffers at one tile.
#include "compiler/emit/tile.h"
#include "compiler/emit/types.h"
#include "compiler/plan/operations.h"

namespace quern {
namespace {

bool IsKnown(llvm::Value* value, bool truth) {
  auto* constant = llvm::dyn_cast<llvm::ConstantInt>(value);
  return constant && constant->isOne() == truth;
}

// Whether many addresses are read by one instruction.
bool HasGather(const TargetShape& target, uint64_t bytes) {
  return bytes >= 4 && (target.avx512 || target.avx2_fma);
}

}  // namespace

llvm::Value* Tile::FromMemory(llvm::Value* value, mlir::Type element) {
  if (!element.isSignlessInteger(1)) return value;
  return b_.CreateTrunc(value, LanesOf(b_.getInt1Ty(), WidthOf(value)));
}

TileValue Tile::Load(mlir::Operation* op, const DimMap& map) {
  auto load = llvm::cast<tt::LoadOp>(op);
  const mlir::Type element = ElementOf(load.getResult());
  const bool is_pointer = llvm::isa<tt::PointerType>(element);
  llvm::Type* type =
      is_pointer ? b_.getInt64Ty() : MemoryType(c_.context(), element);
  const uint64_t bytes = ElementBytes(element);
  const TileValue mask = load.getMask() ? Evaluate(load.getMask(), map)
                                        : TileValue::Uniform(b_.getTrue());
  const bool one_mask = mask.is_uniform() || width_ == 1;
  llvm::Type* in_register =
      is_pointer ? type : RegisterType(c_.context(), element);
  if (one_mask && IsKnown(mask.value, false)) {
    if (load.getOther()) return Evaluate(load.getOther(), map);
    return TileValue::Uniform(llvm::Constant::getNullValue(in_register));
  }
  const TileValue pointer = Evaluate(load.getPtr(), map);
  const bool uniform = pointer.is_uniform() && mask.is_uniform();
  TileValue other =
      TileValue::Uniform(llvm::Constant::getNullValue(in_register));
  if (load.getOther() && !IsKnown(mask.value, true)) {
    other = Evaluate(load.getOther(), map);
    if (is_pointer) other = TileValue::Vector(Lanes(load.getOther(), map));
  }
  if (uniform && other.is_uniform()) {
    llvm::Value* value = c_.Choose(mask.value, other.value, [&] {
      llvm::Value* address =
          pointer.base
              ? b_.CreateGEP(b_.getInt8Ty(), pointer.base, pointer.value)
              : b_.CreateIntToPtr(pointer.value, b_.getPtrTy());
      return FromMemory(b_.CreateAlignedLoad(type, address, llvm::Align(bytes),
                                             load.getIsVolatile()),
                        element);
    });
    return TileValue::Uniform(value);
  }
  llvm::Value* lanes = AsLanes(other, in_register);
  if (one_mask) {
    llvm::Value* condition = mask.value;
    return TileValue::Vector(c_.Choose(condition, lanes, [&] {
      return FromMemory(LoadLanes(pointer, type, bytes, nullptr, nullptr),
                        element);
    }));
  }
  llvm::Value* other_in_memory =
      b_.CreateZExtOrBitCast(lanes, LanesOf(type, width_));
  return TileValue::Vector(FromMemory(
      LoadLanes(pointer, type, bytes, mask.value, other_in_memory), element));
}

// `mask` null: all lanes.
llvm::Value* Tile::LoadLanes(const TileValue& pointer, llvm::Type* type,
                             uint64_t bytes, llvm::Value* mask,
                             llvm::Value* other) {
  const llvm::Align align(bytes);
  if (pointer.is_affine() && pointer.base &&
      (pointer.stride == static_cast<int64_t>(bytes) || width_ == 1)) {
    llvm::Value* first =
        b_.CreateGEP(b_.getInt8Ty(), pointer.base, pointer.value);
    llvm::Value* index = indices_[vector_dim_];
    if (pointer.stride == static_cast<int64_t>(bytes)) {
      first = b_.CreateGEP(type, first, index);
    } else {
      first = b_.CreateGEP(b_.getInt8Ty(), first,
                           b_.CreateMul(index, c_.I64(pointer.stride)));
    }
    llvm::Type* vector = LanesOf(type, width_);
    if (!mask) return b_.CreateAlignedLoad(vector, first, align);
    return b_.CreateMaskedLoad(vector, first, align, mask, other);
  }
  return Gather(pointer, type, bytes, mask, other);
}

llvm::Value* Tile::Gather(const TileValue& pointer, llvm::Type* type,
                          uint64_t bytes, llvm::Value* mask,
                          llvm::Value* other) {
  llvm::Value* addresses = Addresses(pointer);
  const llvm::Align align(bytes);
  if (width_ == 1) return b_.CreateAlignedLoad(type, addresses, align);
  llvm::Type* vector = LanesOf(type, width_);
  if (mask || HasGather(c_.plan.target, bytes)) {
    return b_.CreateMaskedGather(vector, addresses, align, mask, other);
  }
  llvm::Value* lanes = llvm::PoisonValue::get(vector);
  for (unsigned i = 0; i < width_; ++i) {
    llvm::Value* lane = b_.CreateAlignedLoad(
        type, b_.CreateExtractElement(addresses, i), align);
    lanes = b_.CreateInsertElement(lanes, lane, i);
  }
  return lanes;
}

void Tile::Store(const TileValue& pointer, llvm::Value* value,
                 mlir::Type element, const TileValue& mask) {
  const uint64_t bytes = ElementBytes(element);
  const llvm::Align align(bytes);
  if (element.isSignlessInteger(1)) {
    value = b_.CreateZExt(value, LanesOf(b_.getInt8Ty(), width_));
  }
  const bool contiguous = pointer.is_affine() && pointer.base &&
                          pointer.stride == static_cast<int64_t>(bytes);
  auto first = [&] {
    llvm::Value* start =
        b_.CreateGEP(b_.getInt8Ty(), pointer.base, pointer.value);
    return b_.CreateGEP(value->getType()->getScalarType(), start,
                        indices_[vector_dim_]);
  };
  if (!mask.is_uniform() && width_ > 1) {
    if (contiguous) {
      b_.CreateMaskedStore(value, first(), align, mask.value);
    } else {
      b_.CreateMaskedScatter(value, Addresses(pointer), align, mask.value);
    }
    return;
  }
  c_.If(mask.value, [&] {
    if (contiguous) {
      b_.CreateAlignedStore(value, first(), align);
      return;
    }
    llvm::Value* addresses = Addresses(pointer);
    if (width_ == 1) {
      b_.CreateAlignedStore(value, addresses, align);
    } else if (bytes >= 4 && c_.plan.target.avx512) {
      b_.CreateMaskedScatter(value, addresses, align);
    } else {
      for (unsigned i = 0; i < width_; ++i) {
        b_.CreateAlignedStore(b_.CreateExtractElement(value, i),
                              b_.CreateExtractElement(addresses, i), align);
      }
    }
  });
}

Tile::Place Tile::PlaceInBuffer(uint32_t buffer, llvm::ArrayRef<int64_t> shape,
                                const DimMap& map) {
  const Buffer& layout = c_.plan.buffers[buffer];
  if (layout.panel_columns > 0) return PlaceInPanels(buffer, map);
  llvm::Value* offset = c_.I64(0);
  int64_t lane_stride = 0, stride = 1;
  for (int i = shape.size() - 1; i >= 0; --i) {
    const unsigned code = map[i];
    if (!DimMap::IsConstant(code) && static_cast<int>(code) == vector_dim_) {
      lane_stride += stride;
    }
    offset = b_.CreateAdd(offset, b_.CreateMul(Index(code), c_.I64(stride)));
    stride = layout.row_stride > 0 ? layout.row_stride : stride * shape[i];
  }
  llvm::Type* type = MemoryType(c_.context(), layout.element);
  if (type->isPointerTy()) type = b_.getInt64Ty();
  return {b_.CreateGEP(type, c_.buffers[buffer], offset), lane_stride};
}

// Lanes never run across the edge of a panel.
Tile::Place Tile::PlaceInPanels(uint32_t buffer, const DimMap& map) {
  const Buffer& layout = c_.plan.buffers[buffer];
  llvm::Value* column = Index(map[1]);
  llvm::Value* in_panel =
      b_.CreateAnd(column, c_.I64(layout.panel_columns - 1));
  llvm::Value* panel = b_.CreateSub(column, in_panel);
  llvm::Value* offset =
      b_.CreateAdd(b_.CreateMul(panel, c_.I64(layout.panel_rows)),
                   b_.CreateMul(Index(map[0]), c_.I64(layout.panel_columns)));
  const bool along_rows =
      !DimMap::IsConstant(map[0]) && static_cast<int>(map[0]) == vector_dim_;
  llvm::Type* type = MemoryType(c_.context(), layout.element);
  return {
      b_.CreateGEP(type, c_.buffers[buffer], b_.CreateAdd(offset, in_panel)),
      along_rows ? layout.panel_columns : 1};
}

TileValue Tile::ReadBuffer(uint32_t buffer, llvm::ArrayRef<int64_t> shape,
                           const DimMap& map) {
  const mlir::Type element = c_.plan.buffers[buffer].element;
  const Place place = PlaceInBuffer(buffer, shape, map);
  llvm::Type* type = MemoryType(c_.context(), element);
  if (type->isPointerTy()) type = b_.getInt64Ty();
  const llvm::Align align(ElementBytes(element));
  if (place.stride == 0) {
    return TileValue::Uniform(
        FromMemory(b_.CreateAlignedLoad(type, place.pointer, align), element));
  }
  llvm::Type* vector = LanesOf(type, width_);
  if (place.stride == 1 || width_ == 1) {
    return TileValue::Vector(FromMemory(
        b_.CreateAlignedLoad(vector, place.pointer, align), element));
  }
  llvm::SmallVector<llvm::Constant*> offsets;
  for (unsigned i = 0; i < width_; ++i) {
    offsets.push_back(c_.I64(place.stride * i * ElementBytes(element)));
  }
  const TileValue pointer =
      TileValue::Vector(llvm::ConstantVector::get(offsets))
          .WithBase(place.pointer);
  return TileValue::Vector(FromMemory(
      Gather(pointer, type, ElementBytes(element), nullptr, nullptr), element));
}

void Tile::WriteBuffer(uint32_t buffer, llvm::ArrayRef<int64_t> shape,
                       const DimMap& map, llvm::Value* lanes) {
  const mlir::Type element = c_.plan.buffers[buffer].element;
  const Place place = PlaceInBuffer(buffer, shape, map);
  const unsigned width = WidthOf(lanes);
  const llvm::Align align(ElementBytes(element));
  if (element.isSignlessInteger(1)) {
    lanes = b_.CreateZExt(lanes, LanesOf(b_.getInt8Ty(), width));
  }
  if (width == 1 || place.stride == 1) {
    b_.CreateAlignedStore(lanes, place.pointer, align);
    return;
  }
  llvm::Type* type = lanes->getType()->getScalarType();
  for (unsigned i = 0; i < width; ++i) {
    llvm::Value* at =
        b_.CreateGEP(type, place.pointer, c_.I64(place.stride * i));
    b_.CreateAlignedStore(b_.CreateExtractElement(lanes, i), at, align);
  }
}

TileValue Tile::ComputeGather(tt::GatherOp op, const DimMap& map) {
  const uint32_t buffer = c_.plan.gather_sources.lookup(op);
  const llvm::ArrayRef<int64_t> shape = ShapeOf(op.getSrc());
  const mlir::Type element = ElementOf(op.getSrc());
  llvm::Type* i64 = b_.getInt64Ty();
  llvm::Type* type = MemoryType(c_.context(), element);
  if (type->isPointerTy()) type = i64;
  llvm::Value* offset = llvm::Constant::getNullValue(LanesOf(i64, width_));
  int64_t stride = ElementBytes(element);
  for (int i = shape.size() - 1; i >= 0; --i) {
    llvm::Value* index;
    if (i == static_cast<int>(op.getAxis())) {
      index = b_.CreateSExt(Lanes(op.getIndices(), map), LanesOf(i64, width_));
      // An index beyond the tensor is the kernel's error, but must not leave
      // the buffer. Sizes are powers of two.
      index = b_.CreateAnd(
          index, llvm::ConstantInt::get(index->getType(), shape[i] - 1));
    } else {
      const unsigned code = map[i];
      const bool runs =
          !DimMap::IsConstant(code) && static_cast<int>(code) == vector_dim_;
      index = AsLanes(runs ? TileValue::Affine(c_.I64(0), 1)
                           : TileValue::Uniform(Index(code)),
                      i64);
    }
    offset = b_.CreateAdd(
        offset,
        b_.CreateMul(index, llvm::ConstantInt::get(index->getType(), stride)));
    stride *= shape[i];
  }
  const TileValue pointer =
      TileValue::Vector(offset).WithBase(c_.buffers[buffer]);
  return TileValue::Vector(FromMemory(
      Gather(pointer, type, ElementBytes(element), nullptr, nullptr), element));
}

}  // namespace quern
