// quern.hpp: the C++ face of quern.h. Header-only, C++17, no exceptions: what
// can fail returns quern::Result.
//
//   quern::Result<quern::Client> client = quern::Client::Connect();
//   quern::Result<quern::Kernel> add = client->Compile(ttir);
//   quern::Error error = client->Launch(*add, {blocks}, x, y, z, n);
//
// Served, in a process of the daemon's:
//
//   quern::Result<quern::Session> session = client->NewSession();
//   quern::Result<uint32_t> id = session->Load(add->key());
//   quern::Result<quern::Buffer> x = session->NewBuffer(4 * n);
//   quern::Result<quern::Ring> ring = session->NewRing(64);
//   quern::Error error = ring->Submit(1, *id, {blocks}, x->At(0), n);
//   quern::Result<std::optional<quern_completion>> done = ring->Wait(1000);
//
// Thread safety and errors are those of quern.h.
#ifndef QUERN_QUERN_HPP_
#define QUERN_QUERN_HPP_

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "quern/quern.h"

namespace quern {

// A code and a message; false means success.
struct Error {
  quern_code code = QUERN_OK;
  std::string message;

  explicit operator bool() const { return code != QUERN_OK; }
};

// A value, or the error in its place.
template <typename T>
class Result {
 public:
  Result(T value) : value_(std::move(value)) {}              // NOLINT
  Result(const quern_error& error)                           // NOLINT
      : error_{error.code, error.message} {}

  bool ok() const { return value_.has_value(); }
  const Error& error() const { return error_; }

  // The value; only if ok().
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Error error_;
};

// A mapped kernel. Movable; released when it goes.
class Kernel {
 public:
  explicit Kernel(quern_kernel* owned) : kernel_(owned) {}

  std::array<uint8_t, 32> key() const {
    std::array<uint8_t, 32> key;
    quern_kernel_key(kernel_.get(), key.data());
    return key;
  }
  uint32_t argument_count() const {
    return quern_kernel_argument_count(kernel_.get());
  }
  quern_entry entry() const { return quern_kernel_entry(kernel_.get()); }
  quern_kernel* get() const { return kernel_.get(); }

 private:
  struct Release {
    void operator()(quern_kernel* kernel) const {
      quern_kernel_release(kernel);
    }
  };
  std::unique_ptr<quern_kernel, Release> kernel_;
};

// The slot of one argument: a pointer, an integer, or a float.
template <typename T>
uint64_t Slot(T value) {
  static_assert(std::is_arithmetic_v<T> || std::is_pointer_v<T>,
                "an argument is a number or a pointer");
  static_assert(sizeof(T) <= sizeof(uint64_t), "an argument has 8 bytes");
  uint64_t slot = 0;
  std::memcpy(&slot, &value, sizeof(value));
  return slot;
}

// A pointer into a buffer, as an argument of a served launch.
struct BufferPointer {
  uint64_t argument;
};

inline uint64_t ServedSlot(BufferPointer pointer) { return pointer.argument; }
template <typename T>
uint64_t ServedSlot(T value) {
  static_assert(!std::is_pointer_v<T>,
                "a served launch takes pointers into buffers: Buffer::At");
  return Slot(value);
}

// Memory that this process and its executor share. Movable; freed when it
// goes.
class Buffer {
 public:
  explicit Buffer(quern_buffer* owned) : buffer_(owned) {}

  void* data() const { return quern_buffer_data(buffer_.get()); }
  uint64_t size_bytes() const { return quern_buffer_size(buffer_.get()); }
  BufferPointer At(uint64_t offset_bytes) const {
    return {quern_buffer_argument(buffer_.get(), offset_bytes)};
  }

 private:
  struct Destroy {
    void operator()(quern_buffer* buffer) const {
      quern_buffer_destroy(buffer);
    }
  };
  std::unique_ptr<quern_buffer, Destroy> buffer_;
};

// Hands launches to the session's executor. Movable; for one thread at a time.
class Ring {
 public:
  explicit Ring(quern_ring* owned) : ring_(owned) {}

  // Submits one launch. RESOURCE_EXHAUSTED also if the ring is full.
  template <typename... Arguments>
  Error Submit(uint64_t tag, uint32_t kernel, quern_grid grid,
               Arguments... arguments) {
    const std::array<uint64_t, sizeof...(Arguments)> slots = {
        ServedSlot(arguments)...};
    quern_served_launch launch = {};
    launch.tag = tag;
    launch.kernel = kernel;
    launch.grid = grid;
    launch.args = slots.data();
    launch.argument_count = slots.size();
    const Result<size_t> submitted = Submit(&launch, 1);
    if (!submitted.ok()) return submitted.error();
    if (*submitted == 1) return {};
    return {QUERN_RESOURCE_EXHAUSTED, "the ring is full"};
  }

  // Submits as many of `count` launches as there are free slots for.
  Result<size_t> Submit(const quern_served_launch* launches, size_t count) {
    size_t submitted = 0;
    quern_error error;
    if (quern_ring_submit(ring_.get(), launches, count, &submitted, &error) !=
        QUERN_OK) {
      return error;
    }
    return submitted;
  }

  // Takes the next completion, waiting for it at most `timeout_ms`.
  Result<std::optional<quern_completion>> Wait(uint32_t timeout_ms) {
    quern_completion completion;
    const Result<size_t> count = Wait(&completion, 1, timeout_ms);
    if (!count.ok()) return Failed(count.error());
    if (*count == 0) return std::optional<quern_completion>();
    return std::optional<quern_completion>(completion);
  }

  // Takes at most `count_max`, waiting for the first.
  Result<size_t> Wait(quern_completion* completions, size_t count_max,
                      uint32_t timeout_ms) {
    size_t count = 0;
    quern_error error;
    if (quern_ring_wait(ring_.get(), completions, count_max, timeout_ms,
                        &count, &error) != QUERN_OK) {
      return error;
    }
    return count;
  }

 private:
  static quern_error Failed(const Error& error) {
    quern_error result = {error.code, {}};
    error.message.copy(result.message, sizeof(result.message) - 1);
    return result;
  }

  struct Destroy {
    void operator()(quern_ring* ring) const { quern_ring_destroy(ring); }
  };
  std::unique_ptr<quern_ring, Destroy> ring_;
};

// The kernels, buffers and rings of served launches. Movable.
class Session {
 public:
  explicit Session(quern_session* owned) : session_(owned) {}

  // The id by which launches name the kernel of `key`.
  Result<uint32_t> Load(const std::array<uint8_t, 32>& key) {
    uint32_t id = 0;
    quern_error error;
    if (quern_session_load(session_.get(), key.data(), &id, &error) !=
        QUERN_OK) {
      return error;
    }
    return id;
  }

  Error Unload(uint32_t kernel) {
    quern_error error;
    if (quern_session_unload(session_.get(), kernel, &error) != QUERN_OK) {
      return {error.code, error.message};
    }
    return {};
  }

  Result<Buffer> NewBuffer(uint64_t size_bytes) {
    quern_buffer* buffer = nullptr;
    quern_error error;
    if (quern_buffer_create(session_.get(), size_bytes, &buffer, &error) !=
        QUERN_OK) {
      return error;
    }
    return Buffer(buffer);
  }

  Result<Ring> NewRing(uint32_t slots) {
    quern_ring* ring = nullptr;
    quern_error error;
    if (quern_ring_create(session_.get(), slots, &ring, &error) != QUERN_OK) {
      return error;
    }
    return Ring(ring);
  }

 private:
  struct Destroy {
    void operator()(quern_session* session) const {
      quern_session_destroy(session);
    }
  };
  std::unique_ptr<quern_session, Destroy> session_;
};

class Client {
 public:
  // Connects with default options, or with `options`.
  static Result<Client> Connect(const quern_client_options* options = nullptr) {
    quern_client* client = nullptr;
    quern_error error;
    if (quern_client_create(options, &client, &error) != QUERN_OK) {
      return error;
    }
    return Client(client);
  }

  // Compiles Triton IR text. `entry` may be empty.
  Result<Kernel> Compile(std::string_view triton_ir,
                         const std::string& entry = "") {
    quern_source source = {};
    source.size_bytes = sizeof(source);
    source.text = triton_ir.data();
    source.text_size_bytes = triton_ir.size();
    source.entry = entry.empty() ? nullptr : entry.c_str();
    return Compile(source);
  }

  Result<Kernel> Compile(const quern_source& source) {
    quern_kernel* kernel = nullptr;
    quern_error error;
    if (quern_compile(client_.get(), &source, &kernel, &error) != QUERN_OK) {
      return error;
    }
    return Kernel(kernel);
  }

  Result<Kernel> Lookup(const std::array<uint8_t, 32>& key) {
    quern_kernel* kernel = nullptr;
    quern_error error;
    if (quern_lookup(client_.get(), key.data(), &kernel, &error) != QUERN_OK) {
      return error;
    }
    return Kernel(kernel);
  }

  // Begins served launches.
  Result<Session> NewSession() {
    quern_session* session = nullptr;
    quern_error error;
    if (quern_session_create(client_.get(), &session, &error) != QUERN_OK) {
      return error;
    }
    return Session(session);
  }

  // Runs `grid` programs with `arguments` on all threads of the client.
  template <typename... Arguments>
  Error Launch(const Kernel& kernel, quern_grid grid,
               Arguments... arguments) {
    const std::array<uint64_t, sizeof...(Arguments)> slots = {
        Slot(arguments)...};
    quern_error error;
    if (quern_launch_grid(client_.get(), kernel.get(), grid, slots.data(),
                          slots.size(), 0, &error) != QUERN_OK) {
      return {error.code, error.message};
    }
    return {};
  }

 private:
  explicit Client(quern_client* owned) : client_(owned) {}

  struct Destroy {
    void operator()(quern_client* client) const {
      quern_client_destroy(client);
    }
  };
  std::unique_ptr<quern_client, Destroy> client_;
};

}  // namespace quern

#endif  // QUERN_QUERN_HPP_
