// The value of a tensor at the lanes of one tile.
#ifndef QUERN_COMPILER_EMIT_TILE_VALUE_H_
#define QUERN_COMPILER_EMIT_TILE_VALUE_H_

#include <cstdint>

#include "llvm/IR/Value.h"

namespace quern {

// A lattice: how the value differs from lane to lane is known, or not.
//
// A pointer is `base` plus an offset in bytes (i64), and it is the offset that
// is uniform, affine or a vector. Without a base the offset is the address.
struct TileValue {
  enum class Kind {
    kUniform,  // `value`, a scalar, at all lanes.
    kAffine,   // `value` + `stride` x (index + lane). `value` is a scalar that
               // does not depend on the tile's index along its lanes.
    kVector,   // `value`, a vector (a scalar in tiles of one lane).
  };
  Kind kind = Kind::kUniform;
  llvm::Value* value = nullptr;
  int64_t stride = 0;
  llvm::Value* base = nullptr;

  static TileValue Uniform(llvm::Value* value) {
    return {Kind::kUniform, value};
  }
  static TileValue Affine(llvm::Value* value, int64_t stride) {
    if (stride == 0) return Uniform(value);
    return {Kind::kAffine, value, stride};
  }
  static TileValue Vector(llvm::Value* value) { return {Kind::kVector, value}; }

  TileValue WithBase(llvm::Value* pointer) const {
    TileValue result = *this;
    result.base = pointer;
    return result;
  }

  bool is_uniform() const { return kind == Kind::kUniform; }
  bool is_affine() const { return kind == Kind::kAffine; }
  bool is_vector() const { return kind == Kind::kVector; }
};

}  // namespace quern

#endif  // QUERN_COMPILER_EMIT_TILE_VALUE_H_
