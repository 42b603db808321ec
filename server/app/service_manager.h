// The service manager that started this daemon, if one did: the listening
// sockets that it handed over, and what it is told.
//
// The protocol is systemd's, of sd_listen_fds(3) and sd_notify(3), which other
// managers speak as well. Its environment variables are the only ones that the
// daemon heeds: they are how a manager addresses one process, and no
// configuration. libsystemd reads them, in service_manager.cc alone.
#ifndef QUERN_SERVER_APP_SERVICE_MANAGER_H_
#define QUERN_SERVER_APP_SERVICE_MANAGER_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/wire/unique_fd.h"

namespace quern {

// Both listen and do not block. Their paths belong to the manager.
struct ActivatedSockets {
  UniqueFd rpc;     // SOCK_STREAM.
  UniqueFd attach;  // SOCK_SEQPACKET.
};

// The name that a socket unit gives its descriptors (FileDescriptorName=).
inline constexpr char kActivationName[] = "quern";

// Takes the sockets that a manager handed over. They must be two Unix sockets
// that listen: a stream socket at `rpc_path`, and a sequenced-packet socket at
// `attach_path`, in any order. Names, where the manager gives any, must be
// kActivationName. Call it once, before other threads start.
//
// Nothing: no descriptors were handed to this process.
// InvalidArgument: others than those; the message names the descriptor.
absl::StatusOr<std::optional<ActivatedSockets>> TakeActivatedSockets(
    const std::string& rpc_path, const std::string& attach_path);

// Whom the daemon tells how it is. Of the main thread.
class ServiceManager {
 public:
  virtual ~ServiceManager() = default;

  // How often Alive and Status are wanted. Infinite: nobody listens.
  virtual absl::Duration report_interval() = 0;

  // The sockets accept.
  virtual void Ready() = 0;

  // The daemon does its work. Where the manager waits for this in vain, it
  // ends the daemon and starts another.
  virtual void Alive() = 0;

  // One line for the operator.
  virtual void Status(const std::string& line) = 0;

  // The end has begun, and takes at most `timeout`.
  virtual void Stopping(absl::Duration timeout) = 0;
};

// The manager of this process; one that hears nothing if there is none. Call
// it once, before other threads start.
std::unique_ptr<ServiceManager> NewServiceManager();

}  // namespace quern

#endif  // QUERN_SERVER_APP_SERVICE_MANAGER_H_
