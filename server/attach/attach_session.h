// One attached client: what it asks and what it is answered.
#ifndef QUERN_SERVER_ATTACH_ATTACH_SESSION_H_
#define QUERN_SERVER_ATTACH_ATTACH_SESSION_H_

#include <cstdint>
#include <deque>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "cache/code_slabs.h"
#include "cache/kernel_directory.h"
#include "proto/wire/attach_protocol.h"
#include "proto/wire/unique_fd.h"
#include "server/attach/request_budget.h"
#include "server/attach/served_session.h"
#include "server/core/clock.h"
#include "server/core/session.h"

namespace quern {

// Not thread-safe.
class AttachSession final {
 public:
  // `socket` is connected and non-blocking; the references must outlive the
  // session. `on_executor` is called with each executor that it starts, so
  // that its descriptors are watched.
  AttachSession(UniqueFd socket, uint32_t user_id, const SessionToken& token,
                RequestBudget budget, KernelDirectory& directory,
                const ServedParts& served,
                ServedSession::OnStarted on_executor);
  AttachSession(const AttachSession&) = delete;
  AttachSession& operator=(const AttachSession&) = delete;

  int fd() const { return socket_.get(); }
  uint32_t user_id() const { return user_id_; }
  const SessionToken& token() const { return token_; }
  // Whether it has said HELLO.
  bool welcomed() const { return welcomed_; }

  // Receives and answers what has come, a few packets at a time, unless the
  // session is busy. An error ends the session:
  //
  // OutOfRange: the client has left.
  // InvalidArgument, FailedPrecondition: it broke the protocol. It is told.
  // ResourceExhausted: it asks too much. It is told.
  // Unavailable: it does not read its answers.
  absl::Status Serve(Clock& clock);

  // Whether a request waits for its answer, so that no other is received.
  bool busy() const { return served_.busy(); }

  // To be told of its executor and of time; then call TakeStatus.
  ServedSession& served() { return served_; }

  // Whether the session goes on: an error if an answer that came later than
  // its request could not be sent. As for Serve.
  absl::Status TakeStatus() { return std::exchange(status_, absl::OkStatus()); }

  // Tells the client that `slab` is retired, if it has said HELLO. A client
  // need not read until it asks: what finds no room waits for SendEvents.
  void TellRetired(uint32_t slab);

  // Whether events wait for room in the socket.
  bool has_events() const { return !retired_.empty(); }
  // Sends the events that wait, as far as there is room.
  void SendEvents();

 private:
  absl::Status Answer(std::string_view packet, bool has_descriptor);
  absl::Status AnswerServed(const quern_attach_request& request);
  void Reply(absl::StatusOr<ServedReply> reply);
  absl::Status Welcome();
  absl::Status GiveSlab(uint64_t slab);
  absl::Status Send(const quern_attach_reply& reply, int fd = -1);
  absl::Status Refuse(const absl::Status& why);

  UniqueFd socket_;
  uint32_t user_id_;
  SessionToken token_;
  RequestBudget budget_;
  CodeSlabs& slabs_;
  KernelDirectory& directory_;
  bool welcomed_ = false;
  // Slabs to tell of. Each is retired once, so they are kMaxSlabId at most.
  std::deque<uint32_t> retired_;
  absl::Status status_;
  ServedSession served_;
};

// Tells the client at `socket` why it is refused, as far as it reads. Nothing
// is received from it after that.
void SendRefusal(int socket, const absl::Status& why);

}  // namespace quern

#endif  // QUERN_SERVER_ATTACH_ATTACH_SESSION_H_
