// The evaluation of tensors at one tile. Not for use outside this folder.
#ifndef QUERN_COMPILER_EMIT_TILE_H_
#define QUERN_COMPILER_EMIT_TILE_H_

#include "compiler/emit/emit_context.h"
#include "compiler/emit/tile_value.h"

namespace quern {

// So many lanes along one dimension of a group, at given indices along all.
// Emits each value once, where it is first asked for.
class Tile final {
 public:
  // A tile of `group`; `indices` has one i64 for each of its dimensions, of
  // which the one along the lanes is that of lane 0.
  Tile(EmitContext& context, const Group& group,
       llvm::ArrayRef<llvm::Value*> indices, unsigned width);
  // A tile of no group, for values under maps of constants only.
  explicit Tile(EmitContext& context);

  unsigned width() const { return width_; }

  // From now on `bound` is known to be true, or false, at all lanes.
  void Assume(const Bound& bound, bool truth);

  // From now on `value` is known to be the same as `as`, under `map`.
  void AssumeSame(mlir::Value value, mlir::Value as, const DimMap& map) {
    known_[{value, map.key()}] = Evaluate(as, map);
  }

  TileValue Evaluate(mlir::Value value, const DimMap& map);
  // The same as a vector, or as a scalar if there is one lane.
  llvm::Value* Lanes(mlir::Value value, const DimMap& map);
  llvm::Value* AsLanes(const TileValue& value, llvm::Type* element);
  // A pointer's address at each lane.
  llvm::Value* Addresses(const TileValue& pointer);

  // memory.cc
  // Writes `value` at `pointer` in the lanes of `mask`.
  void Store(const TileValue& pointer, llvm::Value* value, mlir::Type element,
             const TileValue& mask);
  // Elements of a buffer seen as row-major of `shape`.
  TileValue ReadBuffer(uint32_t buffer, llvm::ArrayRef<int64_t> shape,
                       const DimMap& map);
  void WriteBuffer(uint32_t buffer, llvm::ArrayRef<int64_t> shape,
                   const DimMap& map, llvm::Value* lanes);

  // The i64 index of lane 0 along a dimension with this code in a map.
  llvm::Value* Index(unsigned code);

 private:
  TileValue Compute(mlir::Value value, const DimMap& map);
  TileValue ComputeView(mlir::OpResult result, const DimMap& map);
  TileValue ComputeJoin(mlir::Operation* op, const DimMap& map);
  TileValue ComputeRange(mlir::Value value, const DimMap& map);
  TileValue ComputeStep(const Home& home, mlir::Value value, const DimMap& map);
  TileValue ComputeElementwise(mlir::Operation* op, const DimMap& map);
  std::optional<TileValue> ComputeAffine(mlir::Operation* op,
                                         llvm::ArrayRef<TileValue> operands);
  std::optional<TileValue> ComputeLogic(mlir::Operation* op,
                                        llvm::ArrayRef<TileValue> operands);
  std::optional<TileValue> ComputePointer(mlir::Operation* op,
                                          llvm::ArrayRef<TileValue> operands);
  TileValue SelectPointer(mlir::Operation* op,
                          llvm::ArrayRef<TileValue> operands);
  llvm::Value* DivideByUniform(llvm::Value* lanes, llvm::Value* divisor);
  // a + sign x b, lane by lane.
  TileValue Add(const TileValue& a, const TileValue& b, int sign);
  TileValue Scale(const TileValue& value, int64_t factor);

  // memory.cc
  TileValue Load(mlir::Operation* op, const DimMap& map);
  llvm::Value* LoadLanes(const TileValue& pointer, llvm::Type* type,
                         uint64_t bytes, llvm::Value* mask, llvm::Value* other);
  llvm::Value* Gather(const TileValue& pointer, llvm::Type* type,
                      uint64_t bytes, llvm::Value* mask, llvm::Value* other);
  TileValue ComputeGather(tt::GatherOp op, const DimMap& map);
  llvm::Value* FromMemory(llvm::Value* value, mlir::Type element);
  struct Place {
    llvm::Value* pointer;  // Of lane 0.
    int64_t stride;        // From lane to lane, in elements.
  };
  Place PlaceInPanels(uint32_t buffer, const DimMap& map);
  Place PlaceInBuffer(uint32_t buffer, llvm::ArrayRef<int64_t> shape,
                      const DimMap& map);

  EmitContext& c_;
  llvm::IRBuilder<>& b_;
  const Group* group_ = nullptr;
  llvm::SmallVector<llvm::Value*, 4> indices_;
  unsigned width_ = 1;
  int vector_dim_ = -1;
  llvm::DenseMap<std::pair<mlir::Value, uint64_t>, TileValue> known_;
};

// group_versions.cc: tells `tile` that no index of the group wraps.
void AssumeNothingWraps(Tile& tile, const Group& group);

}  // namespace quern

#endif  // QUERN_COMPILER_EMIT_TILE_H_
