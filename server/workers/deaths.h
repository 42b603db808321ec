// How the death of a compile child is answered.
#ifndef QUERN_SERVER_WORKERS_DEATHS_H_
#define QUERN_SERVER_WORKERS_DEATHS_H_

#include "server/core/compiler_pool.h"
#include "server/sandbox/outcome.h"

namespace quern {

// The outcome of a job whose child ended as `outcome` says, without a result.
CompileOutcome OutcomeOfDeath(Outcome outcome);

}  // namespace quern

#endif  // QUERN_SERVER_WORKERS_DEATHS_H_
