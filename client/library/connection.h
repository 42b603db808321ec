// What a client holds of one incarnation of the daemon.
#ifndef QUERN_CLIENT_LIBRARY_CONNECTION_H_
#define QUERN_CLIENT_LIBRARY_CONNECTION_H_

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "client/rpc/rpc_client.h"
#include "client/runtime/attach_client.h"
#include "client/runtime/kernel_table.h"

namespace quern {

// Its parts are thread-safe.
struct Connection {
  Connection(std::unique_ptr<AttachClient> attach_client, std::string rpc_path)
      : attach(std::move(attach_client)),
        kernels(*attach),
        rpc(std::move(rpc_path)) {}

  const std::unique_ptr<AttachClient> attach;
  KernelTable kernels;
  RpcClient rpc;
};

// The connection of now, replaced when the daemon was. Thread-safe.
class ConnectionSlot final {
 public:
  std::shared_ptr<Connection> Get() const {
    const std::shared_lock lock(mutex_);
    return connection_;
  }

  void Set(std::shared_ptr<Connection> connection) {
    const std::lock_guard lock(mutex_);
    connection_.swap(connection);
  }

  // The kernel, if this process has mapped it: the look-up that costs no
  // system call, and not even a new reference to the connection.
  KernelRef Find(const KernelKey& key) const {
    const std::shared_lock lock(mutex_);
    return connection_ == nullptr ? nullptr : connection_->kernels.Find(key);
  }

 private:
  mutable std::shared_mutex mutex_;
  std::shared_ptr<Connection> connection_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace quern

#endif  // QUERN_CLIENT_LIBRARY_CONNECTION_H_
