// quern.hpp: the C++ face of quern.h. Header-only, C++17, no exceptions: what
// can fail returns quern::Result.
//
//   quern::Result<quern::Client> client = quern::Client::Connect();
//   quern::Result<quern::Kernel> add = client->Compile(ttir);
//   quern::Error error = client->Launch(*add, {blocks}, x, y, z, n);
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
