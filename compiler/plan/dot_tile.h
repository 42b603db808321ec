// The part of a matrix product that is kept in registers.
#ifndef QUERN_COMPILER_PLAN_DOT_TILE_H_
#define QUERN_COMPILER_PLAN_DOT_TILE_H_

#include <algorithm>
#include <cstdint>

#include "compiler/plan/target_shape.h"

namespace quern {

// `rows` rows of `vectors` vectors of `width` lanes of sums.
struct DotTile {
  unsigned width;
  unsigned vectors;
  unsigned rows;

  int64_t columns() const { return int64_t{width} * vectors; }
};

// For sums of `element_bytes` bytes and blocks of m x n. All three numbers
// divide the block. Sums, one row of b and one element of a fit the registers,
// and there are enough sums to hide the latency of a multiplication.
inline DotTile DotTileOf(const TargetShape& target, uint64_t element_bytes,
                         int64_t m, int64_t n) {
  DotTile tile;
  const int64_t lanes = target.vector_bytes / element_bytes;
  tile.width = std::min(lanes, n);
  tile.vectors = n >= 2 * int64_t{tile.width} ? 2 : 1;
  const int64_t rows = target.vector_registers >= 32 ? 8 : 4;
  tile.rows = std::min(rows, m);
  return tile;
}

}  // namespace quern

#endif  // QUERN_COMPILER_PLAN_DOT_TILE_H_
