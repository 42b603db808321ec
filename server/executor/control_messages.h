// What the daemon tells an executor, and what that answers: packets of the
// structures below, with at most one descriptor, over a SOCK_SEQPACKET socket.
//
// Both ends are of one build. The daemon sends a command, the executor answers
// it, and only then comes the next. The first packet is an ExecutorSetup, which
// is answered too. The executor ends with the socket.
#ifndef QUERN_SERVER_EXECUTOR_CONTROL_MESSAGES_H_
#define QUERN_SERVER_EXECUTOR_CONTROL_MESSAGES_H_

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace quern {

struct ExecutorSetup {
  // Address space beyond what it has when it starts: everything that is mapped
  // later, its heap, and the kernels' scratch.
  uint64_t memory_bytes_max = 0;
  // Threads that share a launch of many programs. 0: as many as there are CPUs
  // that it may use.
  uint32_t thread_count = 0;
  // Each has a thread of its own.
  uint32_t rings_max = 0;
  uint32_t sandbox_required = 1;
  uint32_t reserved = 0;
  // The CPUs it is to run on, bit by bit; none is set: any.
  std::array<uint64_t, 16> cpus = {};
};

enum class ExecutorCommandKind : uint32_t {
  kLoadKernel = 1,    // id, slab, page, size_bytes, key; the slab's descriptor.
  kUnloadKernel = 2,  // id
  kMapBuffer = 3,     // id, size_bytes; the buffer's descriptor.
  kUnmapBuffer = 4,   // id
  kOpenRing = 5,      // id, size_bytes; the ring's descriptor.
  kCloseRing = 6,     // id
};

struct ExecutorCommand {
  ExecutorCommandKind kind = ExecutorCommandKind::kLoadKernel;
  uint32_t id = 0;
  uint32_t slab = 0;
  uint32_t page = 0;
  uint64_t size_bytes = 0;  // Of what the descriptor names.
  uint8_t key[32] = {};
};

struct ExecutorAnswer {
  uint32_t status = 0;  // A canonical status code.
  uint32_t reserved = 0;
};

template <typename Message>
std::string_view MessageBytes(const Message& message) {
  static_assert(std::is_trivially_copyable_v<Message>);
  return {reinterpret_cast<const char*>(&message), sizeof(message)};
}

// Reads `bytes` into `message`. False: they have another size.
template <typename Message>
bool MessageFromBytes(std::string_view bytes, Message& message) {
  static_assert(std::is_trivially_copyable_v<Message>);
  if (bytes.size() != sizeof(message)) return false;
  std::memcpy(&message, bytes.data(), sizeof(message));
  return true;
}

}  // namespace quern

#endif  // QUERN_SERVER_EXECUTOR_CONTROL_MESSAGES_H_
