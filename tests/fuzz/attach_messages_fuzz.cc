// Fuzzes a session of the attach socket: the input is a row of packets, each
// after a byte that gives its length. Every answer must be one that the
// protocol knows.
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>

#include "cache/code_slabs.h"
#include "cache/kernel_directory.h"
#include "proto/wire/attach_protocol.h"
#include "server/attach/attach_session.h"
#include "tests/fakes/fake_clock.h"

namespace quern {
namespace {

constexpr uint32_t kBurst = 64;

// Reads the answers that have come, and traps on one that nobody expects.
void CheckAnswers(int peer) {
  while (true) {
    quern_attach_reply reply;
    iovec part = {.iov_base = &reply, .iov_len = sizeof(reply)};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    const ssize_t size = ::recvmsg(peer, &message, MSG_DONTWAIT);
    if (size <= 0) return;
    if (const cmsghdr* rights = CMSG_FIRSTHDR(&message)) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(rights), sizeof(fd));
      UniqueFd closes(fd);
    }
    const bool known =
        reply.type == QUERN_ATTACH_WELCOME || reply.type == QUERN_ATTACH_SLAB ||
        reply.type == QUERN_ATTACH_REFUSED ||
        reply.type == QUERN_ATTACH_KERNEL ||
        reply.type == QUERN_ATTACH_BUFFER || reply.type == QUERN_ATTACH_DONE;
    if (size != sizeof(reply) || reply.magic != QUERN_ATTACH_MAGIC || !known ||
        reply.message[sizeof(reply.message) - 1] != '\0') {
      __builtin_trap();
    }
  }
}

// A key that begins with 0 is that of the kernel in slab 1.
std::optional<KernelInfo> FindKernel(const KernelKey& key) {
  if (key.bytes[0] != 0) return std::nullopt;
  KernelInfo info;
  info.key = key;
  info.place = {.slab = 1, .page = 0};
  return info;
}

void Fuzz(const uint8_t* data, size_t size) {
  const std::unique_ptr<CodeSlabs> slabs =
      NewCodeSlabs({.slab_size_bytes = 4096, .total_size_bytes_max = 8192});
  slabs->Append("an image").status().IgnoreError();
  const auto directory = CreateKernelDirectory(8, 1);
  int ends[2];
  if (!directory.ok() ||
      ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends) != 0) {
    return;
  }
  UniqueFd peer(ends[0]);
  FakeClock clock;
  const std::unique_ptr<ExecutorStarter> starter =
      NewExecutorStarter("/nowhere");
  ServedCounters counters;
  const ServedParts served = {.slabs = *slabs,
                              .find_kernel = FindKernel,
                              .starter = *starter,
                              .setup = {},
                              .clock = clock,
                              .limits = {.buffers_size_bytes_max = 1 << 20},
                              .counters = counters};
  AttachSession session(UniqueFd(ends[1]), 0, SessionToken{},
                        RequestBudget(kBurst, kBurst, clock.Now()), **directory,
                        served, [](ExecutorProcess&) {});
  absl::Status status;
  while (size > 0 && status.ok()) {
    const size_t length = std::min<size_t>(data[0], size - 1);
    ::send(peer.get(), data + 1, length, MSG_NOSIGNAL);
    data += length + 1;
    size -= length + 1;
    status = session.Serve(clock);
    CheckAnswers(peer.get());
  }
}

}  // namespace
}  // namespace quern

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  quern::Fuzz(data, size);
  return 0;
}
