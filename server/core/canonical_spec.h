// Brings a compile spec into the one form that keys are made of.
#ifndef QUERN_SERVER_CORE_CANONICAL_SPEC_H_
#define QUERN_SERVER_CORE_CANONICAL_SPEC_H_

#include "absl/status/statusor.h"
#include "proto/wire/compile_spec.h"

namespace quern {

// Returns `spec` with its target resolved (an empty one is `host`) and its
// features sorted, each once.
//
// InvalidArgument: CPU or features without a triple, a feature without a sign
//   or a name, or one that is both added and taken away.
absl::StatusOr<CompileSpec> Canonicalise(CompileSpec spec,
                                         const TargetSpec& host);

// "triple:cpu", for people.
std::string TargetText(const TargetSpec& target);

}  // namespace quern

#endif  // QUERN_SERVER_CORE_CANONICAL_SPEC_H_
