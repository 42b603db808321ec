// Threads that share the chunks of one piece of work.
//
// A worker spins for a short while after a piece of work, so that launches in
// quick succession cost no system call, then parks in a futex. Chunks are
// handed out by an atomic counter: a slow core takes fewer.
//
// Thread-safe. One piece of work uses the pool at a time; another that comes
// meanwhile runs on its caller's thread alone.
#ifndef QUERN_CLIENT_RUNTIME_THREAD_POOL_H_
#define QUERN_CLIENT_RUNTIME_THREAD_POOL_H_

#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"

namespace quern {

class ThreadPool {
 public:
  virtual ~ThreadPool() = default;

  // Runs [begin, end) of a piece of work. Returns 0, or why it failed.
  using Chunk = absl::FunctionRef<int32_t(uint64_t begin, uint64_t end)>;

  // Calls `chunk` for pieces that together are [0, count), on at most
  // `threads` threads (the caller's is one; 0 means all), and returns when all
  // have ended: 0, or the failure of one. After a failure no new piece begins.
  // Workers run under the caller's floating-point control. Re-entrant: a call
  // from inside a chunk runs on the calling thread.
  virtual int32_t Run(uint64_t count, uint32_t threads, Chunk chunk) = 0;

  // Starts the workers, unless they run, and waits until each has begun: what
  // a thread of libc's does first is then done. Not to be called during a Run.
  virtual void Start() = 0;

  // The caller's thread included.
  virtual uint32_t thread_count() const = 0;
};

// Creates a pool of `thread_count` threads, the caller's included; at least 1.
// The workers start with the first Run that needs them.
std::unique_ptr<ThreadPool> NewThreadPool(uint32_t thread_count);

}  // namespace quern

#endif  // QUERN_CLIENT_RUNTIME_THREAD_POOL_H_
