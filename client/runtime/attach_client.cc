// Requests over the attach socket.
#include "client/runtime/attach_client.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "client/runtime/stopwatch.h"
#include "proto/wire/directory_layout.h"
#include "proto/wire/status.h"
#include "proto/wire/unix_socket.h"

namespace quern {
namespace {

// The status that a REFUSED message carries. The message is the peer's, so its
// end is looked for within its bounds.
absl::Status RefusalOf(const quern_attach_reply& reply) {
  const size_t size = ::strnlen(reply.message, sizeof(reply.message));
  const bool known = reply.status > 0 && reply.status <= 16;
  return absl::Status(known ? static_cast<absl::StatusCode>(reply.status)
                            : absl::StatusCode::kUnknown,
                      absl::string_view(reply.message, size));
}

absl::Status Malformed() {
  return absl::DataLossError("the daemon's answer is malformed");
}

UniqueFd TakeDescriptor(msghdr& message) {
  UniqueFd fd;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    int value = -1;
    std::memcpy(&value, CMSG_DATA(part), sizeof(value));
    fd.reset(value);
  }
  return fd;
}

}  // namespace

absl::StatusOr<std::unique_ptr<AttachClient>> AttachClient::Connect(
    const std::string& path, absl::Duration timeout) {
  QUERN_ASSIGN_OR_RETURN(UniqueFd socket,
                         ConnectUnixSocket(path, SOCK_SEQPACKET, timeout));
  return FromSocket(std::move(socket), timeout);
}

absl::StatusOr<std::unique_ptr<AttachClient>> AttachClient::FromSocket(
    UniqueFd socket, absl::Duration timeout) {
  LimitWaits(socket.get(), timeout);
  std::unique_ptr<AttachClient> client(
      new AttachClient(std::move(socket), timeout));
  QUERN_RETURN_IF_ERROR(client->Hello());
  return client;
}

absl::Status AttachClient::Hello() {
  const std::lock_guard lock(mutex_);
  QUERN_ASSIGN_OR_RETURN(Answer answer, Ask(QUERN_ATTACH_HELLO, 0));
  const quern_attach_reply& reply = answer.reply;
  if (reply.type != QUERN_ATTACH_WELCOME || !answer.fd.valid() ||
      reply.size_bytes < QUERN_DIRECTORY_HEADER_SIZE) {
    return absl::DataLossError("the daemon's welcome is malformed");
  }
  QUERN_ASSIGN_OR_RETURN(
      directory_,
      SharedRegion::Map(answer.fd.get(), reply.size_bytes, Access::kRead));
  incarnation_ = reply.value;
  session_ = absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(reply.session_token),
                        sizeof(reply.session_token)));
  return absl::OkStatus();
}

absl::StatusOr<SharedRegion> AttachClient::GetSlab(uint32_t id) {
  const std::lock_guard lock(mutex_);
  QUERN_ASSIGN_OR_RETURN(Answer answer, Ask(QUERN_ATTACH_GET_SLAB, id));
  if (answer.reply.type != QUERN_ATTACH_SLAB || answer.reply.value != id ||
      !answer.fd.valid()) {
    return Malformed();
  }
  return SharedRegion::Map(answer.fd.get(), answer.reply.size_bytes,
                           Access::kReadExecute);
}

absl::StatusOr<uint32_t> AttachClient::LoadKernel(const KernelKey& key) {
  const std::lock_guard lock(mutex_);
  QUERN_ASSIGN_OR_RETURN(const Answer answer,
                         Ask(QUERN_ATTACH_LOAD_KERNEL, 0, &key));
  if (answer.reply.type != QUERN_ATTACH_KERNEL) return Malformed();
  return static_cast<uint32_t>(answer.reply.value);
}

absl::Status AttachClient::UnloadKernel(uint32_t id) {
  return AskDone(QUERN_ATTACH_UNLOAD_KERNEL, id);
}

absl::StatusOr<AttachClient::Shared> AttachClient::AllocateBuffer(
    uint64_t size_bytes) {
  return AskShared(QUERN_ATTACH_ALLOC_BUFFER, size_bytes, QUERN_ATTACH_BUFFER);
}

absl::Status AttachClient::FreeBuffer(uint32_t id) {
  return AskDone(QUERN_ATTACH_FREE_BUFFER, id);
}

absl::StatusOr<AttachClient::Shared> AttachClient::OpenRing(
    uint32_t slot_count) {
  return AskShared(QUERN_ATTACH_OPEN_RING, slot_count, QUERN_ATTACH_RING);
}

absl::Status AttachClient::CloseRing(uint32_t id) {
  return AskDone(QUERN_ATTACH_CLOSE_RING, id);
}

absl::StatusOr<AttachClient::Shared> AttachClient::AskShared(
    uint32_t type, uint64_t argument, uint32_t answer_type) {
  const std::lock_guard lock(mutex_);
  QUERN_ASSIGN_OR_RETURN(const Answer answer, Ask(type, argument));
  if (answer.reply.type != answer_type || !answer.fd.valid()) {
    return Malformed();
  }
  // A buffer is used up to the size that was asked for.
  if (type == QUERN_ATTACH_ALLOC_BUFFER &&
      answer.reply.size_bytes != argument) {
    return Malformed();
  }
  QUERN_ASSIGN_OR_RETURN(
      SharedRegion region,
      SharedRegion::Map(answer.fd.get(), answer.reply.size_bytes,
                        Access::kReadWrite));
  return Shared{.id = static_cast<uint32_t>(answer.reply.value),
                .region = std::move(region)};
}

absl::Status AttachClient::AskDone(uint32_t type, uint64_t argument) {
  const std::lock_guard lock(mutex_);
  QUERN_ASSIGN_OR_RETURN(const Answer answer, Ask(type, argument));
  return answer.reply.type == QUERN_ATTACH_DONE ? absl::OkStatus()
                                                : Malformed();
}

bool AttachClient::PeerIsGone() const {
  pollfd socket{.fd = socket_.get(), .events = POLLRDHUP, .revents = 0};
  return ::poll(&socket, 1, 0) > 0;
}

std::vector<uint32_t> AttachClient::TakeRetired() {
  const std::lock_guard lock(mutex_);
  DrainEvents();
  return std::exchange(retired_, {});
}

bool AttachClient::Closed() {
  const std::lock_guard lock(mutex_);
  DrainEvents();
  return closed_;
}

absl::StatusOr<AttachClient::Answer> AttachClient::Ask(uint32_t type,
                                                       uint64_t argument,
                                                       const KernelKey* key) {
  if (closed_) {
    return absl::UnavailableError("the attach socket is closed");
  }
  quern_attach_load_request load;
  std::memset(&load, 0, sizeof(load));
  size_t size = sizeof(load.request);
  if (key != nullptr) {
    std::memcpy(load.key, key->bytes.data(), sizeof(load.key));
    size = sizeof(load);
  }
  quern_attach_request& request = load.request;
  request.magic = QUERN_ATTACH_MAGIC;
  request.version = QUERN_ATTACH_VERSION;
  request.type = type;
  request.argument = argument;
  ssize_t sent = 0;
  do {
    sent = ::send(socket_.get(), &load, size, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent != static_cast<ssize_t>(size)) {
    // A daemon that refuses this user says so and closes before it reads.
    absl::StatusOr<Answer> refusal = Receive(0);
    Close();
    if (refusal.ok() && refusal->reply.type == QUERN_ATTACH_REFUSED) {
      return RefusalOf(refusal->reply);
    }
    return absl::UnavailableError("the daemon closed the attach socket");
  }
  absl::StatusOr<Answer> answer = AwaitAnswer();
  if (!answer.ok()) {
    // What answers this request may come yet, and would be taken for the
    // answer to the next.
    Close();
    return answer.status();
  }
  if (answer->reply.type == QUERN_ATTACH_REFUSED) {
    return RefusalOf(answer->reply);
  }
  return answer;
}

absl::StatusOr<AttachClient::Answer> AttachClient::AwaitAnswer() {
  while (true) {
    QUERN_ASSIGN_OR_RETURN(Answer answer, Receive(0));
    if (answer.reply.type != QUERN_ATTACH_RETIRED) return answer;
    retired_.push_back(static_cast<uint32_t>(answer.reply.value));
  }
}

void AttachClient::Close() {
  closed_ = true;
  ::shutdown(socket_.get(), SHUT_RDWR);
}

absl::StatusOr<AttachClient::Answer> AttachClient::Receive(int flags) {
  Answer answer;
  iovec part = {.iov_base = &answer.reply, .iov_len = sizeof(answer.reply)};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  const Stopwatch waited;
  ssize_t size = 0;
  int error = 0;
  bool again = false;
  do {
    size = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC | flags);
    error = size < 0 ? errno : 0;
    // Signals that come often must not make the wait an endless one.
    const bool late = waited.elapsed() >= timeout_;
    // A daemon that closes before it has read all resets the connection. That
    // is reported once, ahead of the refusal that it sent.
    again = error == ECONNRESET || (error == EINTR && !late);
  } while (again);
  if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR) {
    return absl::DeadlineExceededError("the daemon did not answer in time");
  }
  if (size <= 0) {
    closed_ = true;
    return absl::UnavailableError("the daemon closed the attach socket");
  }
  answer.fd = TakeDescriptor(message);
  if (size != static_cast<ssize_t>(sizeof(answer.reply)) ||
      answer.reply.magic != QUERN_ATTACH_MAGIC) {
    return Malformed();
  }
  return answer;
}

void AttachClient::DrainEvents() {
  while (true) {
    absl::StatusOr<Answer> event = Receive(MSG_DONTWAIT);
    if (!event.ok()) return;
    if (event->reply.type == QUERN_ATTACH_RETIRED) {
      retired_.push_back(static_cast<uint32_t>(event->reply.value));
    }
  }
}

}  // namespace quern
