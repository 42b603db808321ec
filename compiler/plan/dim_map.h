// Which dimension of a group each dimension of a value runs along.
#ifndef QUERN_COMPILER_PLAN_DIM_MAP_H_
#define QUERN_COMPILER_PLAN_DIM_MAP_H_

#include <cstdint>

#include "llvm/ADT/ArrayRef.h"

namespace quern {

// A value's dimension is at the index of a dimension of the group, or at a
// constant: 0 where the value is broadcast, 0 or 1 where it is split. One value
// may occur in a group under several maps (`x[:, None]` and `x[None, :]`), so
// whatever is remembered of a value is remembered for the value and its map.
class DimMap final {
 public:
  static constexpr unsigned kRankMax = 14;
  static constexpr unsigned kZero = 14;
  static constexpr unsigned kOne = 15;

  DimMap() = default;

  // Each dimension of `shape` at the group's dimension of the same number.
  // Dimensions of size one are at kZero, here and everywhere, so that equal
  // maps compare equal.
  static DimMap Identity(llvm::ArrayRef<int64_t> shape) {
    DimMap map;
    for (unsigned i = 0; i < shape.size(); ++i) {
      map.Append(shape[i] == 1 ? kZero : i);
    }
    return map;
  }

  // `rank` dimensions, all at kZero.
  static DimMap Zero(unsigned rank) {
    DimMap map;
    for (unsigned i = 0; i < rank; ++i) map.Append(kZero);
    return map;
  }

  unsigned rank() const { return rank_; }
  unsigned operator[](unsigned dim) const { return codes_ >> 4 * dim & 15; }
  // Equal for equal maps of one value.
  uint64_t key() const { return codes_; }

  void Append(unsigned code) { Set(rank_++, code); }
  void Set(unsigned dim, unsigned code) {
    codes_ &= ~(uint64_t{15} << 4 * dim);
    codes_ |= uint64_t{code} << 4 * dim;
  }

  static bool IsConstant(unsigned code) { return code >= kZero; }

 private:
  uint64_t codes_ = 0;
  unsigned rank_ = 0;
};

}  // namespace quern

#endif  // QUERN_COMPILER_PLAN_DIM_MAP_H_
