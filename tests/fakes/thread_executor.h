// Executors as threads of the test: unconfined, but otherwise as they are, so
// that sanitizers see both ends of a ring. A launch that does not end cannot be
// ended here.
#ifndef QUERN_TESTS_FAKES_THREAD_EXECUTOR_H_
#define QUERN_TESTS_FAKES_THREAD_EXECUTOR_H_

#include <memory>

#include "server/executor/executor_process.h"

namespace quern {

std::unique_ptr<ExecutorStarter> NewThreadExecutorStarter();

}  // namespace quern

#endif  // QUERN_TESTS_FAKES_THREAD_EXECUTOR_H_
