// Answering an attached client.
#include "server/attach/attach_session.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/wire/packet.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

// Then the other sessions have their turn.
constexpr int kPacketsPerTurn = 16;

quern_attach_reply MakeReply(quern_attach_type type) {
  quern_attach_reply reply{};
  reply.magic = QUERN_ATTACH_MAGIC;
  reply.version = QUERN_ATTACH_VERSION;
  reply.type = type;
  return reply;
}

std::string_view BytesOf(const quern_attach_reply& reply) {
  return {reinterpret_cast<const char*>(&reply), sizeof(reply)};
}

quern_attach_reply Refusal(const absl::Status& why) {
  quern_attach_reply reply = MakeReply(QUERN_ATTACH_REFUSED);
  reply.status = static_cast<uint32_t>(why.code());
  const size_t size = std::min(why.message().size(), sizeof(reply.message) - 1);
  std::memcpy(reply.message, why.message().data(), size);
  return reply;
}

// Whether the socket has room by epoll's measure: it calls one writable that is
// full by a quarter at most, so that answers find room beside events.
bool IsWritable(int socket) {
  pollfd wait{.fd = socket, .events = POLLOUT, .revents = 0};
  return ::poll(&wait, 1, 0) == 1 && wait.revents == POLLOUT;
}

absl::Status CheckRequest(const quern_attach_request& request,
                          bool has_descriptor) {
  if (request.magic != QUERN_ATTACH_MAGIC) {
    return absl::InvalidArgumentError("not the attach protocol");
  }
  if (request.version != QUERN_ATTACH_VERSION) {
    return absl::FailedPreconditionError(
        absl::StrCat("the client speaks attach protocol version ",
                     request.version, ", the daemon ", QUERN_ATTACH_VERSION));
  }
  if (request.reserved != 0 || request.reserved1 != 0) {
    return absl::InvalidArgumentError("reserved fields are set");
  }
  if (has_descriptor) {
    return absl::InvalidArgumentError("a request carries no descriptor");
  }
  return absl::OkStatus();
}

}  // namespace

AttachSession::AttachSession(UniqueFd socket, uint32_t user_id,
                             const SessionToken& token, RequestBudget budget,
                             KernelDirectory& directory,
                             const ServedParts& served,
                             ServedSession::OnStarted on_executor)
    : socket_(std::move(socket)),
      user_id_(user_id),
      token_(token),
      budget_(budget),
      slabs_(served.slabs),
      directory_(directory),
      served_(served, std::move(on_executor),
              [this](absl::StatusOr<ServedReply> reply) {
                Reply(std::move(reply));
              }) {}

absl::Status AttachSession::Serve(Clock& clock) {
  for (int i = 0; i < kPacketsPerTurn && !busy(); ++i) {
    const absl::StatusOr<Packet> packet =
        ReceivePacket(socket_.get(), sizeof(quern_attach_load_request));
    if (absl::IsUnavailable(packet.status())) return absl::OkStatus();
    if (absl::IsInvalidArgument(packet.status())) {
      return Refuse(packet.status());
    }
    if (!packet.ok()) return packet.status();
    if (!budget_.Take(clock.Now())) {
      return Refuse(absl::ResourceExhaustedError(
          "the session sends more requests than it may"));
    }
    QUERN_RETURN_IF_ERROR(Answer(packet->bytes, packet->fd.valid()));
  }
  return absl::OkStatus();
}

void AttachSession::TellRetired(uint32_t slab) {
  if (!welcomed_) return;
  retired_.push_back(slab);
  SendEvents();
}

void AttachSession::SendEvents() {
  quern_attach_reply event = MakeReply(QUERN_ATTACH_RETIRED);
  while (has_events() && IsWritable(socket_.get())) {
    event.value = retired_.front();
    if (!Send(event).ok()) return;
    retired_.pop_front();
  }
}

absl::Status AttachSession::Answer(std::string_view packet,
                                   bool has_descriptor) {
  quern_attach_request request{};
  std::memcpy(&request, packet.data(),
              std::min(packet.size(), sizeof(request)));
  const bool loads = request.type == QUERN_ATTACH_LOAD_KERNEL;
  if (packet.size() !=
      (loads ? sizeof(quern_attach_load_request) : sizeof(request))) {
    return Refuse(absl::InvalidArgumentError(
        loads ? "a request with a key is 64 bytes" : "a request is 32 bytes"));
  }
  const absl::Status status = CheckRequest(request, has_descriptor);
  if (!status.ok()) return Refuse(status);
  if (request.type == QUERN_ATTACH_BYE) {
    return absl::OutOfRangeError("the client said BYE");
  }
  if (welcomed_ != (request.type != QUERN_ATTACH_HELLO)) {
    return Refuse(
        absl::FailedPreconditionError("HELLO comes first, and only once"));
  }
  switch (request.type) {
    case QUERN_ATTACH_HELLO:
      return Welcome();
    case QUERN_ATTACH_GET_SLAB:
      return GiveSlab(request.argument);
    case QUERN_ATTACH_LOAD_KERNEL: {
      KernelKey key;
      std::memcpy(key.bytes.data(), packet.data() + sizeof(request),
                  key.bytes.size());
      served_.LoadKernel(key);
      return TakeStatus();
    }
    default:
      return AnswerServed(request);
  }
}

absl::Status AttachSession::AnswerServed(const quern_attach_request& request) {
  switch (request.type) {
    case QUERN_ATTACH_UNLOAD_KERNEL:
      served_.UnloadKernel(request.argument);
      break;
    case QUERN_ATTACH_ALLOC_BUFFER:
      served_.AllocateBuffer(request.argument);
      break;
    case QUERN_ATTACH_FREE_BUFFER:
      served_.FreeBuffer(request.argument);
      break;
    case QUERN_ATTACH_OPEN_RING:
      served_.OpenRing(request.argument);
      break;
    case QUERN_ATTACH_CLOSE_RING:
      served_.CloseRing(request.argument);
      break;
    default:
      return Refuse(absl::InvalidArgumentError("unknown type of request"));
  }
  return TakeStatus();
}

void AttachSession::Reply(absl::StatusOr<ServedReply> answer) {
  if (!answer.ok()) {
    // Not a breach of the protocol: the session goes on.
    status_ = Send(Refusal(answer.status()));
    return;
  }
  quern_attach_reply reply = MakeReply(answer->type);
  reply.value = answer->value;
  reply.size_bytes = answer->size_bytes;
  status_ = Send(reply, answer->fd.get());
}

absl::Status AttachSession::Welcome() {
  const absl::StatusOr<SlabDescriptor> directory = directory_.Open();
  if (!directory.ok()) {
    return Refuse(
        absl::ResourceExhaustedError("the daemon has no descriptors left"));
  }
  quern_attach_reply reply = MakeReply(QUERN_ATTACH_WELCOME);
  reply.value = directory_.incarnation();
  reply.size_bytes = directory->size_bytes;
  std::copy(token_.begin(), token_.end(), reply.session_token);
  welcomed_ = true;
  return Send(reply, directory->fd.get());
}

absl::Status AttachSession::GiveSlab(uint64_t slab) {
  if (slab > kMaxSlabId) {
    return Refuse(absl::InvalidArgumentError("not the id of a slab"));
  }
  const absl::StatusOr<SlabDescriptor> descriptor =
      slabs_.Open(static_cast<uint32_t>(slab));
  if (!descriptor.ok()) {
    // Not the client's fault: the slab may have been retired meanwhile.
    return Send(Refusal(absl::IsNotFound(descriptor.status())
                            ? descriptor.status()
                            : absl::ResourceExhaustedError(
                                  "the daemon has no descriptors left")));
  }
  quern_attach_reply reply = MakeReply(QUERN_ATTACH_SLAB);
  reply.value = slab;
  reply.size_bytes = descriptor->size_bytes;
  return Send(reply, descriptor->fd.get());
}

absl::Status AttachSession::Send(const quern_attach_reply& reply, int fd) {
  const absl::Status status = SendPacket(socket_.get(), BytesOf(reply), fd);
  return status.ok() ? status
                     : absl::UnavailableError("the client does not read");
}

absl::Status AttachSession::Refuse(const absl::Status& why) {
  SendRefusal(socket_.get(), why);
  return why;
}

void SendRefusal(int socket, const absl::Status& why) {
  // The session ends in any case.
  SendPacket(socket, BytesOf(Refusal(why))).IgnoreError();
  // Closed with packets unread, the socket would report a reset to the client
  // ahead of the refusal. After this shutdown none can come any more.
  ::shutdown(socket, SHUT_RD);
  while (::recv(socket, nullptr, 0, MSG_DONTWAIT | MSG_TRUNC) > 0) {
  }
}

}  // namespace quern
