// Holds calls back until it is known which compiler there is: no key can be
// formed before.
#ifndef QUERN_SERVER_CORE_COMPILER_GATE_H_
#define QUERN_SERVER_CORE_COMPILER_GATE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/wire/compile_spec.h"
#include "proto/wire/kernel_key.h"

namespace quern {

struct CompilerIdentity {
  BuildId build_id{};
  TargetSpec host;  // What "host" means in a compile spec.

  friend bool operator==(const CompilerIdentity&,
                         const CompilerIdentity&) = default;
};

// Thread-safe. Calls back with no lock held.
class CompilerGate {
 public:
  using Passed =
      std::function<void(const absl::StatusOr<CompilerIdentity>& identity)>;

  virtual ~CompilerGate() = default;

  // Calls `passed` as soon as the compiler is known, or has been found to be
  // missing; at once, if that is so already.
  //
  // ResourceExhausted: too many calls wait; `passed` is not called.
  virtual absl::Status Enter(uint64_t call, Passed passed) = 0;

  // Forgets a waiting call and returns its `passed`; null if it does not wait.
  virtual Passed Leave(uint64_t call) = 0;

  // The compiler is there.
  virtual void Open(const CompilerIdentity& identity) = 0;

  // There is no compiler, because of `reason`. Open may follow.
  virtual void Fail(const absl::Status& reason) = 0;

  // The compiler, if it is known.
  virtual std::optional<CompilerIdentity> identity() = 0;
};

// At most `waiting_max` calls wait at a time.
std::unique_ptr<CompilerGate> NewCompilerGate(size_t waiting_max);

}  // namespace quern

#endif  // QUERN_SERVER_CORE_COMPILER_GATE_H_
