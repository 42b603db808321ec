// Counts how many elements fall into each bin. Not for use outside this folder.
#ifndef QUERN_COMPILER_EMIT_HISTOGRAM_H_
#define QUERN_COMPILER_EMIT_HISTOGRAM_H_

#include "compiler/emit/emit_context.h"
#include "compiler/emit/tile.h"

namespace quern {

// Sets all counts of `root` to zero.
void ClearHistogram(EmitContext& context, const Root& root);

// Counts the element of a `tile` of one lane; what lies in no bin, or is masked
// off, is not counted.
void ComputeHistogram(EmitContext& context, Tile& tile, const Root& root,
                      const DimMap& map);

}  // namespace quern

#endif  // QUERN_COMPILER_EMIT_HISTOGRAM_H_
